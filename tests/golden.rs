//! Ten training steps held against JAX and Optax, on every device: logits, gradients, losses, gradient norms.
//!
//! `golden/make.py` made the files and says what they hold. `-- --nocapture` shows how far each device is off.

mod common;

use bytemuck::Pod;
use common::{gpu, tests};
use safetensors::SafeTensors;
use trainlab::config::{self, Config};
use trainlab::cpu::CpuEngine;
use trainlab::engine::{Device, Engine};
use trainlab::kernels::embedding::TokenIndex;
use trainlab::optimizer;
use trainlab::plan::Plan;
use trainlab::tape::Tensor;

tests![the_oracle_matches, the_cpu_matches, the_gpu_matches];

macro_rules! goldens {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_bytes!(concat!("golden/", $name, ".safetensors")))),*]
    };
}

/// By name, and embedded: the browser has no files.
const GOLDENS: &[(&str, &[u8])] =
    &goldens!["smallest", "rms_untied", "deep", "rms_tied", "five_heads", "wide_mlp", "narrow_mlp"];

/// How far off a device may be.
struct Tolerance {
    /// ‖actual − expected‖ / ‖expected‖ of a tensor.
    logits: f64,
    gradients: f64,
    /// Relative, of the loss and the gradient's norm at each step.
    steps: f64,
}

/// Files hold logits and gradients in f32; kernels take hyperparameters in f32, where 1 − β₂ loses digits.
const F64: Tolerance = Tolerance { logits: 1e-7, gradients: 1e-7, steps: 5e-6 };
const F32: Tolerance = Tolerance { logits: 1e-5, gradients: 1e-5, steps: 1e-5 };

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

async fn check_all(device: Option<&Device>, tolerance: &Tolerance) {
    let by = match device {
        None => "f64",
        Some(Device::Cpu) => "CPU",
        Some(Device::Gpu(_)) => "GPU",
    };
    for (name, file) in GOLDENS {
        let golden = Golden::new(file);
        let [logits, gradients, steps] = check(&golden, device, tolerance, &format!("{name}, {by}")).await;
        println!("{name}, {by}: logits off by {logits:.1e}, gradients by {gradients:.1e}, steps by {steps:.1e}");
    }
}

/// Plays a golden's steps; returns how far off its logits, gradients and steps were at worst.
async fn check(golden: &Golden<'_>, device: Option<&Device>, tolerance: &Tolerance, what: &str) -> [f64; 3] {
    let mut run = Run::new(golden, device).await;
    let tokens = golden.read::<u32>("tokens");
    let [losses, norms] = ["losses", "norms"].map(|name| golden.read::<f64>(name));
    let batches = tokens.chunks_exact(run.plan.train.shape.tokens_len());
    assert_eq!([batches.len(), losses.len(), norms.len()], [10; 3], "{what}: steps");

    let logits = run.logits(batches.clone().next().expect("ten batches")).await;
    let logits = distance(&logits, &golden.read_f32("logits"));
    assert!(logits <= tolerance.logits, "{what}: logits are off by {logits:.1e}");

    let [mut gradients, mut steps] = [0f64; 2];
    for (i, batch) in batches.enumerate() {
        let step = i as u32 + 1;
        let actual = run.step(step, batch).await;
        if step == 1 {
            gradients = check_gradients(golden, &mut run, tolerance, what).await;
        }
        for (name, actual, expected) in [("loss", actual[0], losses[i]), ("gradient norm", actual[1], norms[i])] {
            let off = (actual - expected).abs() / expected;
            assert!(off <= tolerance.steps, "{what}, step {step}: {name} is {actual}, expected {expected}");
            steps = steps.max(off);
        }
    }
    [logits, gradients, steps]
}

async fn check_gradients(golden: &Golden<'_>, run: &mut Run, tolerance: &Tolerance, what: &str) -> f64 {
    let mut worst = 0f64;
    for parameter in run.plan.parameters.list.clone() {
        let name = &parameter.name;
        let actual = run.read(run.plan.gradients.slice(parameter.range.clone())).await;
        let off = distance(&actual, &golden.read_f32(&format!("gradient.{name}")));
        assert!(off <= tolerance.gradients, "{what}, step 1: the gradient of {name} is off by {off:.1e}");
        worst = worst.max(off);
    }
    worst
}

/// ‖actual − expected‖ / ‖expected‖
fn distance(actual: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(actual.len(), expected.len(), "length of a tensor");
    let off: f64 = actual.iter().zip(expected).map(|(a, e)| (a - e).powi(2)).sum();
    (off / expected.iter().map(|e| e.powi(2)).sum::<f64>()).sqrt()
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
}

/// The training tape of a golden's config, from the golden's parameters.
struct Run {
    plan: Plan,
    config: Config,
    machine: Machine,
    index: TokenIndex,
}

enum Machine {
    Oracle(Box<CpuEngine<f64>>),
    Device(Engine),
}

impl Run {
    /// On a device, or, where there is none, on the twins in f64.
    async fn new(golden: &Golden<'_>, device: Option<&Device>) -> Self {
        let vocabulary = golden.shape("initial.tok_emb.weight")[0];
        let plan = Plan::new(&golden.config, vocabulary, &Device::Cpu).expect("the plan fits");
        let mut weights = vec![0.0; plan.parameters.len];
        for parameter in &plan.parameters.list {
            let name = format!("initial.{}", parameter.name);
            assert_eq!(golden.shape(&name), parameter.shape, "{name}");
            weights[parameter.range.clone()].copy_from_slice(&golden.read(&name));
        }
        let known = golden.tensors.names().iter().filter(|name| name.starts_with("initial.")).count();
        assert_eq!(known, plan.parameters.list.len(), "parameters");

        let machine = match device {
            None => {
                let mut engine = CpuEngine::new(&plan.buffers);
                engine.add(&plan.train.recording);
                engine.write(plan.weights, &weights);
                Machine::Oracle(Box::new(engine))
            }
            Some(device) => {
                let mut engine = Engine::new(device, &plan.buffers, 1).expect("the buffers fit");
                engine.add(&plan.train.recording, &mut |_, _| {}).await.unwrap_or_else(|error| panic!("{error}"));
                engine.write(plan.weights, &weights);
                Machine::Device(engine)
            }
        };
        let index = TokenIndex::new(plan.train.shape);
        Self { plan, config: golden.config.clone(), machine, index }
    }

    /// The loss before the update, and the gradient's norm.
    async fn step(&mut self, step: u32, tokens: &[u32]) -> [f64; 2] {
        self.play(self.plan.train.recording.ops.len(), step, tokens);
        let metrics = self.read(self.plan.state.metrics).await;
        [metrics[0], metrics[1]]
    }

    /// The logits of training itself, caught before they turn into their own gradient. Nothing is updated.
    async fn logits(&mut self, tokens: &[u32]) -> Vec<f64> {
        let ops = &self.plan.train.recording.ops;
        let head = ops.iter().position(|op| op.label == "head").expect("a head");
        let logits = ops[head].tensors[2];
        self.play(head + 1, 1, tokens);
        self.read(logits).await
    }

    /// The first ops of a step.
    fn play(&mut self, ops: usize, step: u32, tokens: &[u32]) {
        let batch = self.plan.train.batch;
        self.index.fill(self.plan.train.shape, tokens);
        let numbers = optimizer::step(&self.config, step);
        for (tensor, ids) in
            [(batch.tokens, tokens), (batch.starts, &self.index.starts), (batch.order, &self.index.order)]
        {
            match &mut self.machine {
                Machine::Oracle(engine) => engine.write_ids(tensor, ids),
                Machine::Device(engine) => engine.write_ids(tensor, ids),
            }
        }
        match &mut self.machine {
            Machine::Oracle(engine) => engine.run(0, 0..ops, &numbers),
            Machine::Device(engine) => {
                engine.run(0, 0..ops, &numbers, None).unwrap_or_else(|error| panic!("step {step}: {error}"));
            }
        }
    }

    async fn read(&mut self, tensor: Tensor) -> Vec<f64> {
        match &mut self.machine {
            Machine::Oracle(engine) => engine.read(tensor).to_vec(),
            Machine::Device(engine) => {
                let values = engine.read(tensor).await.unwrap_or_else(|error| panic!("{error}"));
                values.into_iter().map(f64::from).collect()
            }
        }
    }
}
