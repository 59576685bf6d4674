//! `trainlab data` and what a run leaves of it, as a program: lengths of documents, epochs by length, usage.json.
#![cfg(all(not(target_arch = "wasm32"), feature = "cli"))]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

/// A folder of a test's own, removed with it.
struct Place(PathBuf);

impl Place {
    /// With a text of 200 short documents, two long ones, and as much again to be held out.
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("trainlab-data-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        let mut text: String = (0..200).map(|i| format!("Note {i}\n<|endoftext|>\n")).collect();
        for i in 1..3 {
            text += &format!("Novel {i}\n\n{}\n<|endoftext|>\n", "The owl reads on. ".repeat(100));
        }
        text += &"Held out.\n<|endoftext|>\n".repeat(40);
        fs::write(path.join("text.txt"), text).unwrap();
        Self(path)
    }

    fn run(&self, command: &str, more: &[&str]) -> Output {
        let set = [
            "data.held_out_fraction=0.1",
            "tokenizer.kind=bytes",
            "model.layers=1",
            "model.width=16",
            "model.heads=2",
            "model.hidden=16",
            "model.context=256",
            "training.batch_size=8",
            "training.steps=24",
            "schedule.warmup_steps=0",
            "evaluation.bytes=256",
            "evaluation.final_bytes=256",
            "evaluation.sample_every=0",
            "downstream.tasks=",
        ];
        let mut run = Command::new(env!("CARGO_BIN_EXE_trainlab"));
        run.arg(command).arg("--text").arg(self.0.join("text.txt")).args(more);
        set.iter().for_each(|set| {
            run.args(["--set", set]);
        });
        run.output().unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn told(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn lengths_are_told_in_tables_and_as_json() {
    let place = Place::new("lengths");
    let lengths: Value = serde_json::from_str(&told(&place.run("data", &["--json"]))).unwrap();
    assert_eq!(lengths["longest"][0]["name"], "Novel 1");
    assert_eq!((&lengths["long_documents"], &lengths["context"]), (&2.into(), &256.into()));
    let tokens: u64 = lengths["buckets"].as_array().unwrap().iter().map(|b| b["tokens"].as_u64().unwrap()).sum();
    assert_eq!(lengths["tokens"].as_u64(), Some(tokens));
    let table = told(&place.run("data", &[]));
    for word in ["balanced", "2 documents have 256 tokens (the context) or more", "1024–2047", "Novel 2"] {
        assert!(table.contains(word), "{word}: {table}");
    }
}

#[test]
fn a_run_leaves_how_often_it_read_what_and_warns() {
    let place = Place::new("usage");
    let out = place.0.join("run");
    let more = ["--device", "cpu", "--set", "data.packing=balanced", "--export-batches", "2", "--out"];
    let output = place.run("train", &[&more[..], &[out.to_str().unwrap()]].concat());
    let lines = told(&output);
    let usage: Value = serde_json::from_slice(&fs::read(out.join("usage.json")).unwrap()).unwrap();
    let read: u64 = usage["buckets"].as_array().unwrap().iter().map(|b| b["read"].as_u64().unwrap()).sum();
    assert_eq!(usage["tokens"].as_u64(), Some(read));
    let mut steps = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let last = steps.rfind(|line| line["loss"].is_f64()).unwrap();
    let counted = last["tokens"].as_u64().unwrap();
    // Every short document's last token predicts nothing.
    assert!(counted < read && counted > 9 * read / 10, "{counted} of {read}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("the text was read") && usage["warning"].is_string(), "{said} {usage}");
    assert!(said.contains(usage["warning"].as_str().unwrap()), "{said}");

    let batches = fs::read(out.join("batches.safetensors")).unwrap();
    let batches = safetensors::SafeTensors::deserialize(&batches).unwrap();
    let shape = |name: &str| batches.tensor(name).unwrap().shape().to_vec();
    assert_eq!(shape("tokens"), [2, 8, 257]);
    assert_eq!([shape("first_keys"), shape("weights")], [[2, 8, 256], [2, 8, 256]]);
}
