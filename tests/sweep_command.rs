//! `trainlab sweep` as a program: killed at any moment it goes on to the very same results.
#![cfg(all(not(target_arch = "wasm32"), feature = "cli"))]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trainlab::random::{Random, Stream};

/// Two groups of two seeds, of which one group diverges.
const SWEEP: &str = "
name: tiny
method: grid
metric: {name: bits_per_byte, goal: minimize}
parameters:
  data.text_bytes: {value: 20000}
  model: {parameters: {layers: {value: 1}, width: {value: 16}, heads: {value: 2}, hidden: {value: 32}, context: {value: 32}}}
  training.batch_size: {value: 2}
  schedule.warmup_steps: {value: 0}
  schedule.kind: {value: constant}
  evaluation.every: {value: 10}
  evaluation.bytes: {value: 512}
  evaluation.sample_every: {value: 0}
  downstream.items: {value: 10}
  downstream.every: {value: 20}
  optimizer.kind: {value: sgd}
  optimizer.clip_norm: {value: 0}
  optimizer.learning_rate: {values: [0.05, 10]}
  training.seed: {values: [1, 2]}
  budget.tokens: {value: 12800}
";

/// A folder of a test's own, removed with it.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("trainlab-sweep-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("sweep-file.yaml"), SWEEP).unwrap();
        Self(path)
    }

    fn command(&self, out: &str, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trainlab"));
        command.arg("sweep").arg(self.0.join("sweep-file.yaml")).args(["--device", "cpu", "--out"]);
        command.arg(self.0.join(out)).args(more).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, out: &str, more: &[&str]) -> Output {
        self.command(out, more).output().unwrap()
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn runs(&self, out: &str) -> Vec<PathBuf> {
        let mut runs: Vec<PathBuf> =
            fs::read_dir(self.0.join(out).join("runs")).unwrap().map(|entry| entry.unwrap().path()).collect();
        runs.sort();
        runs
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn assert_done(output: &Output) {
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn a_sweep_that_is_killed_again_and_again_comes_to_the_same_results() {
    let place = Place::new("killed");
    let begin = Instant::now();
    let whole = place.run("whole", &[]);
    let time = begin.elapsed();
    assert_done(&whole);
    let expected = place.read("whole/results.jsonl");

    let results = lines(&expected);
    let seen: Vec<(&Value, &Value, &Value)> =
        results.iter().map(|result| (&result["name"], &result["state"], &result["group"])).collect();
    assert_eq!(
        json!(seen),
        json!([
            ["learning_rate=0.05 seed=1", "finished", "learning_rate=0.05"],
            ["learning_rate=0.05 seed=2", "finished", "learning_rate=0.05"],
            ["learning_rate=10 seed=1", "diverged", "learning_rate=10"],
            ["learning_rate=10 seed=2", "diverged", "learning_rate=10"],
        ])
    );
    for result in &results[..2] {
        assert_eq!((&result["steps"], &result["tokens"]), (&json!(200), &json!(12800)));
        assert!(result["bits_per_byte"].as_f64().unwrap() < 7.9, "{result}");
        assert!(result["downstream"]["accuracy"].is_number() && result["flops"].as_f64().unwrap() > 1e6, "{result}");
        assert!(result["seconds"].is_null() && result["downstream"]["seconds"].is_null(), "times are kept apart");
    }
    for result in &results[2..] {
        assert!(result["bits_per_byte"].is_null() && result["best_bits_per_byte"].is_number(), "{result}");
        assert!(result["message"].as_str().unwrap().contains("the run diverged at step"), "{result}");
    }
    let told = lines(&text(&whole.stdout));
    assert_eq!(told.len(), 5, "a line a run, and the comparison");
    assert!(told[0]["tokens_per_second"].as_f64().unwrap() > 0.0);
    let words = told[4]["comparison"]["words"].as_str().unwrap();
    assert!(words.contains("2 of 2 runs of learning_rate=10 came to no finite number"), "{words}");
    let progress = text(&whole.stderr);
    assert!(progress.contains("1 of 4: learning_rate=0.05 seed=1 finished") && progress.contains(words), "{progress}");

    // Killed at moments that a fixed seed picks, in shares of the time that the whole takes; some by Ctrl-C.
    let mut random = Random::new(1, Stream::Other(0));
    let mut interrupted = 0;
    let finished = (0..40).find_map(|attempt| {
        let mut child = place.command("killed", &["--jobs", "2"]).spawn().unwrap();
        if interrupted == 8 {
            return Some(child.wait_with_output().unwrap());
        }
        std::thread::sleep(time.mul_f64(0.1 + 0.5 * f64::from(random.uniform())));
        let running = child.try_wait().unwrap().is_none();
        interrupted += u32::from(running);
        let asked = attempt % 4 == 3 && ctrl_c(&child);
        if !asked {
            child.kill().unwrap();
        }
        let output = child.wait_with_output().unwrap();
        if asked && running {
            assert!(matches!(output.status.code(), Some(130 | 0)), "{}", text(&output.stderr));
        }
        output.status.success().then_some(output)
    });
    assert_done(&finished.expect("it ends some time"));
    assert!(interrupted >= 2, "{interrupted} interruptions");
    assert_eq!(place.read("killed/results.jsonl"), expected);
    assert_eq!(lines(&place.read("killed/timings.jsonl")).len(), 4);

    // What each run showed on its way is the same, too, but for its times.
    for (whole, killed) in place.runs("whole").iter().zip(place.runs("killed")) {
        let [whole, killed] = [whole, &killed].map(|run| {
            let mut lines = lines(&fs::read_to_string(run.join("metrics.jsonl")).unwrap());
            lines.iter_mut().for_each(forget_times);
            lines
        });
        assert_eq!(whole, killed);
    }

    // Once more there is nothing to do.
    let again = place.run("killed", &[]);
    assert_done(&again);
    assert_eq!(lines(&text(&again.stdout)).len(), 1, "the comparison alone");
}

fn ctrl_c(child: &Child) -> bool {
    cfg!(unix) && Command::new("kill").args(["-INT", &child.id().to_string()]).status().is_ok_and(|s| s.success())
}

fn forget_times(line: &mut Value) {
    let Some(object) = line.as_object_mut() else { return };
    object.remove("seconds");
    object.remove("tokens_per_second");
    object.values_mut().for_each(forget_times);
}

#[test]
fn a_folder_is_of_one_sweep() {
    let place = Place::new("folder");
    let short = ["--set", "budget.tokens=1"];
    let refused = place.run("out", &short);
    assert_eq!(refused.status.code(), Some(2), "a budget is no field of a config");
    fs::write(
        place.0.join("sweep-file.yaml"),
        SWEEP.replace("12800", "64").replace("seed: {values: [1, 2]}", "seed: {value: 1}"),
    )
    .unwrap();
    assert_done(&place.run("out", &["--set", "optimizer.learning_rate=0.05"]));
    let other = place.run("out", &["--set", "optimizer.learning_rate=0.06", "--set", "model.layers=2"]);
    assert_eq!(other.status.code(), Some(2));
    let says = text(&other.stderr);
    assert!(says.contains("optimizer.learning_rate is {\"value\":0.06}; allowed: {\"value\":0.05}, as in"), "{says}");
    assert!(says.contains("model.layers is {\"value\":2}"), "{says}");
    assert!(!says.contains("model.width"), "{says}");
    // Its words may change.
    let renamed = fs::read_to_string(place.0.join("sweep-file.yaml")).unwrap().replace("name: tiny", "name: small");
    fs::write(place.0.join("sweep-file.yaml"), renamed).unwrap();
    assert_done(&place.run("out", &["--set", "optimizer.learning_rate=0.05"]));
    // What its runs read may not.
    let text = place.0.join("text.txt");
    let with_text = ["--set", "optimizer.learning_rate=0.05", "--text", text.to_str().unwrap()];
    fs::write(&text, "a text of its own. ".repeat(500)).unwrap();
    assert_done(&place.run("own", &with_text));
    fs::write(&text, "another text. ".repeat(500)).unwrap();
    let other = place.run("own", &with_text);
    assert_eq!(other.status.code(), Some(2));
    assert!(self::text(&other.stderr).contains("--text is \"a file of 7000 bytes"), "{}", self::text(&other.stderr));
}

#[test]
fn runs_that_failed_are_begun_once_more() {
    let place = Place::new("failed");
    let one = ["--set", "optimizer.learning_rate=0.05", "--set", "training.seed=1"];
    assert_done(&place.run("out", &one));
    let run = place.runs("out").remove(0);
    let file = run.join("result.json");
    let expected = fs::read_to_string(&file).unwrap();
    for (attempts, again) in [(1, true), (2, false)] {
        let mut outcome: Value = serde_json::from_str(&expected).unwrap();
        (outcome["result"]["state"], outcome["result"]["message"]) = (json!("failed"), json!("out of memory"));
        outcome["attempts"] = json!(attempts);
        fs::write(&file, outcome.to_string()).unwrap();
        let output = place.run("out", &one);
        let result = &lines(&place.read("out/results.jsonl"))[0];
        if again {
            assert_done(&output);
            assert_eq!(result["state"], "finished");
        } else {
            assert_eq!((output.status.code(), &result["state"]), (Some(1), &json!("failed")));
            assert!(text(&output.stderr).contains("out of memory"), "{}", text(&output.stderr));
        }
    }
}

#[test]
fn a_dry_run_lists_and_makes_nothing() {
    let place = Place::new("dry");
    let output = place.run("out", &["--dry-run"]);
    assert_done(&output);
    let runs = lines(&text(&output.stdout));
    assert_eq!(runs.len(), 4);
    assert_eq!((&runs[0]["steps"], &runs[0]["tokens"], &runs[0]["done"]), (&json!(200), &json!(12800), &json!(false)));
    assert!(runs[0]["flops"].as_f64().unwrap() > 1e6 && runs[0]["bytes"].as_u64().unwrap() > 10_000);
    assert!(text(&output.stderr).contains("4 runs, 4 to be made"), "{}", text(&output.stderr));
    assert!(!Path::new(&place.0.join("out")).exists());
    let seconds = SWEEP.replace("budget.tokens: {value: 12800}", "budget.seconds: {value: 90}");
    fs::write(place.0.join("sweep-file.yaml"), seconds).unwrap();
    let output = place.run("out", &["--dry-run"]);
    assert_done(&output);
    let runs = lines(&text(&output.stdout));
    assert_eq!((&runs[0]["steps"], &runs[0]["seconds"]), (&json!(null), &json!(90.0)));
    assert!(text(&output.stderr).contains("about 6 min of training"), "{}", text(&output.stderr));
}

#[test]
fn seconds_are_measured_once_and_recorded() {
    let place = Place::new("seconds");
    let seconds = SWEEP.replace("budget.tokens: {value: 12800}", "budget.seconds: {value: 0.05}");
    fs::write(place.0.join("sweep-file.yaml"), seconds).unwrap();
    let one = ["--set", "optimizer.learning_rate=0.05"];
    assert_done(&place.run("out", &one));
    let measured = place.read("out/steps.json");
    let results = lines(&place.read("out/results.jsonl"));
    let steps = results[0]["steps"].as_u64().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&measured).unwrap().as_object().unwrap().len(), 1, "{measured}");
    assert_eq!(results[1]["steps"].as_u64(), Some(steps), "repetitions have the same steps");
    let config: Value =
        serde_json::from_str(&fs::read_to_string(place.runs("out")[0].join("config.json")).unwrap()).unwrap();
    assert_eq!(config["training"]["steps"].as_u64(), Some(steps), "a run's config says all");
    // Going on, nothing is measured again.
    fs::remove_file(place.runs("out")[0].join("result.json")).unwrap();
    let before = Instant::now();
    assert_done(&place.run("out", &one));
    assert!(before.elapsed() < Duration::from_secs(60));
    assert_eq!(place.read("out/steps.json"), measured);
    assert_eq!(lines(&place.read("out/results.jsonl")), results);
}
