//! Ten training steps held against JAX and Optax, on every device: logits, gradients, losses, gradient norms, and what
//! the updates came to. Between them the goldens have every option of the model, its loss and the optimizer.
//!
//! `golden/make.py` made the files and says what they hold. `-- --nocapture` shows how far each device is off.

use bytemuck::Pod;
use safetensors::SafeTensors;
use trainlab::config::{self, Config};
use trainlab::engine::Device;
use trainlab::parameters::{Parameter, Parameters};

#[cfg(not(target_arch = "wasm32"))]
use crate::combinations::cover;
use crate::common::lab::Lab;
use crate::common::{gpu, tests};

tests![the_oracle_matches, the_cpu_matches, the_gpu_matches];

macro_rules! goldens {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_bytes!(concat!("golden/", $name, ".safetensors")))),*]
    };
}

/// By name, and embedded: the browser has no files.
const GOLDENS: &[(&str, &[u8])] = &goldens![
    "smallest",
    "rms_untied",
    "deep",
    "rms_tied",
    "five_heads",
    "wide_mlp",
    "narrow_mlp",
    "rope",
    "rope_interpolated",
    "alibi",
    "alibi_grouped",
    "no_positions",
    "sinusoidal",
    "qk_norm",
    "post_norm",
    "post_rms",
    "dropout",
    "soft_cap",
    "label_smoothing",
    "z_loss",
    "sgd",
    "sgd_momentum",
    "sgd_nesterov",
    "adam",
    "adamw_8bit",
    "lion",
    "sophia",
    "adafactor",
    "muon",
    "muon_plain",
    "all_at_once",
];

/// Compiling shaders takes software adapters long, in the browser most of all: there the GPU plays these.
const IN_THE_BROWSER: &[&str] = &["smallest", "rope_interpolated", "alibi_grouped", "post_rms", "all_at_once"];

/// How far off a device may be.
struct Tolerance {
    /// ‖actual − expected‖ / ‖expected‖ of a tensor.
    logits: f64,
    gradients: f64,
    /// Relative, of the loss and the gradient's norm at each step.
    steps: f64,
    /// As of the logits, of what the updates added to a tensor.
    changes: f64,
}

/// Files hold tensors in f32; kernels take hyperparameters in f32.
const F64: Tolerance = Tolerance { logits: 1e-7, gradients: 2e-7, steps: 1e-6, changes: 1e-6 };
/// A second moment that is small beside its neighbours is mostly rounding, and a code of 8 bits may fall to the next.
const F32: Tolerance = Tolerance { logits: 1e-5, gradients: 1e-5, steps: 3e-5, changes: 1e-3 };

async fn the_oracle_matches() {
    check_all(None, &F64).await;
}

async fn the_cpu_matches() {
    check_all(Some(&Device::Cpu), &F32).await;
}

async fn the_gpu_matches() {
    check_all(Some(gpu().await), &F32).await;
}

#[cfg(not(target_arch = "wasm32"))]
#[test]
fn every_golden_is_listed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    let files = std::fs::read_dir(folder).expect("the folder can be read");
    let files =
        files.map(|file| file.expect("the folder can be read").file_name().into_string().expect("a plain name"));
    let mut found: Vec<_> = files.filter(|file| file.ends_with(".safetensors")).collect();
    found.sort();
    let mut listed: Vec<_> = GOLDENS.iter().map(|(name, _)| format!("{name}.safetensors")).collect();
    listed.sort();
    assert_eq!(found, listed, "files in tests/golden, and GOLDENS");
}

/// Options that change no number: `tests/checkpointing.rs` holds them to that, bit for bit.
#[cfg(not(target_arch = "wasm32"))]
const SAME_NUMBERS: &[&str] = &["training.checkpointing"];

/// Each value of an enum or boolean, and two of each number. A new option fails this until make.py has it.
#[cfg(not(target_arch = "wasm32"))]
#[test]
fn every_option_has_a_golden() {
    let configs: Vec<_> = GOLDENS.iter().map(|(_, file)| serde_json::json!(Golden::new(file).config)).collect();
    for factor in cover::factors().iter().filter(|factor| !SAME_NUMBERS.contains(&&factor.path[..])) {
        let (section, field) = factor.path.split_once('.').expect("section.field");
        let mut seen: Vec<_> = configs.iter().map(|config| &config[section][field]).collect();
        seen.sort_by_key(|value| value.to_string());
        seen.dedup();
        let known = factor.values.iter().filter(|value| value.is_number() || seen.contains(value)).count();
        assert!(seen.len() > 1 && known == factor.values.len(), "{} has goldens with {seen:?} only", factor.path);
    }
}

async fn check_all(device: Option<&Device>, tolerance: &Tolerance) {
    let by = device.map_or("f64", Device::name);
    for (name, file) in GOLDENS {
        let long = cfg!(target_arch = "wasm32") && matches!(device, Some(Device::Gpu(_)));
        if long && !IN_THE_BROWSER.contains(name) {
            continue;
        }
        let golden = Golden::new(file);
        let [logits, gradients, steps, changes] = check(&golden, device, tolerance, &format!("{name}, {by}")).await;
        println!(
            "{name}, {by}: logits off by {logits:.1e}, gradients by {gradients:.1e}, steps by {steps:.1e}, changes by \
             {changes:.1e}"
        );
    }
}

/// Plays a golden's steps; returns how far off its logits, gradients, steps and changes were at worst.
async fn check(golden: &Golden<'_>, device: Option<&Device>, tolerance: &Tolerance, what: &str) -> [f64; 4] {
    let mut lab = golden.lab(device).await;
    let tokens = golden.read::<u32>("tokens");
    let [losses, norms] = ["losses", "norms"].map(|name| golden.read::<f64>(name));
    let batches = tokens.chunks_exact(tokens.len() / 10);
    assert_eq!([batches.len(), losses.len(), norms.len()], [10; 3], "{what}: steps");

    let first_micro_batch = &tokens[..lab.plan.train.shape.tokens_len()];
    let logits = lab.logits(first_micro_batch).await;
    let logits = distance(&logits, &golden.read_f32("logits")[..logits.len()]);
    assert!(logits <= tolerance.logits, "{what}: logits are off by {logits:.1e}");

    let [mut gradients, mut steps, mut changes] = [0f64; 3];
    for (i, batch) in batches.enumerate() {
        let step = i as u32 + 1;
        let actual = lab.step(step, batch).await;
        if step == 1 {
            let arena = lab.read(lab.plan.gradients).await;
            for Parameter { name, range, .. } in &lab.plan.parameters.list {
                let off = distance(&arena[range.clone()], &golden.read_f32(&format!("gradient.{name}")));
                assert!(off <= tolerance.gradients, "{what}, step 1: the gradient of {name} is off by {off:.1e}");
                gradients = gradients.max(off);
            }
        }
        for (name, actual, expected) in [("loss", actual[0], losses[i]), ("gradient norm", actual[1], norms[i])] {
            let off = (actual - expected).abs() / expected;
            assert!(off <= tolerance.steps, "{what}, step {step}: {name} is {actual}, expected {expected}");
            steps = steps.max(off);
        }
    }

    let arena = lab.read(lab.plan.weights).await;
    for Parameter { name, range, .. } in &lab.plan.parameters.list {
        let initial = golden.read_f32(&format!("initial.{name}"));
        let change: Vec<_> = arena[range.clone()].iter().zip(initial).map(|(after, before)| after - before).collect();
        let off = distance(&change, &golden.read_f32(&format!("change.{name}")));
        assert!(off <= tolerance.changes, "{what}: after ten steps the change of {name} is off by {off:.1e}");
        changes = changes.max(off);
    }
    [logits, gradients, steps, changes]
}

/// ‖actual − expected‖ / ‖expected‖, over the elements that are expected to be anything.
fn distance(actual: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(actual.len(), expected.len(), "length of a tensor");
    let known = || actual.iter().zip(expected).filter(|(_, expected)| !expected.is_nan());
    let [off, size] = [known().map(|(a, e)| (a - e).powi(2)).sum::<f64>(), known().map(|(_, e)| e.powi(2)).sum()];
    assert!(size > 0.0, "nothing to compare with");
    (off / size).sqrt()
}

struct Golden<'a> {
    config: Config,
    tensors: SafeTensors<'a>,
}

impl<'a> Golden<'a> {
    fn new(file: &'a [u8]) -> Self {
        let (_, header) = SafeTensors::read_metadata(file).expect("a safetensors file");
        let metadata = header.metadata().as_ref().expect("metadata");
        let config = serde_json::from_str(&metadata["config"]).expect("the config is JSON");
        let config = config::parse(&config).unwrap_or_else(|error| panic!("{error}"));
        Self { config, tensors: SafeTensors::deserialize(file).expect("a safetensors file") }
    }

    fn shape(&self, name: &str) -> Vec<usize> {
        self.tensors.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}")).shape().to_vec()
    }

    fn read<T: Pod>(&self, name: &str) -> Vec<T> {
        let tensor = self.tensors.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(tensor.dtype().bitsize(), 8 * size_of::<T>(), "{name}: type");
        bytemuck::pod_collect_to_vec(tensor.data())
    }

    fn read_f32(&self, name: &str) -> Vec<f64> {
        self.read::<f32>(name).into_iter().map(f64::from).collect()
    }
    /// Its config's training tape, from its parameters.
    async fn lab(&self, device: Option<&Device>) -> Lab {
        let vocabulary = self.shape("initial.tok_emb.weight")[0];
        let initial = |parameters: &Parameters| {
            let mut arena = vec![0.0; parameters.len];
            for parameter in &parameters.list {
                let name = format!("initial.{}", parameter.name);
                assert_eq!(self.shape(&name), parameter.shape, "{name}");
                arena[parameter.range.clone()].copy_from_slice(&self.read(&name));
            }
            let known = self.tensors.names().iter().filter(|name| name.starts_with("initial.")).count();
            assert_eq!(known, parameters.list.len(), "parameters");
            arena
        };
        Lab::starting(&self.config, vocabulary, device, initial).await
    }
}
