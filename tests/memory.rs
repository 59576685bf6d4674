//! What a plan says a run takes, held against what is allocated: on the CPU every byte that the program asks for, on
//! the GPU the sizes of the buffers that were made.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::lab::train;
use common::late::Late;
use common::{gpu, tests};

use trainlab::config::{
    Activation, Config, ModelConfig, Norm, NormPosition, OptimizerConfig, OptimizerKind, Packing, Position,
    ScheduleConfig,
};
use trainlab::data::{Dataset, TokenizerKind, tiny_tales};
use trainlab::engine::{Device, Engine};
use trainlab::kernels::Step;
use trainlab::plan::Plan;
use trainlab::trainer::Trainer;

// A single test: what another one allocates would be counted too.
tests![plans_are_what_is_allocated];

/// The system's allocator, counting the bytes in use and the most there were.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: all is handed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = IN_USE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps `dealloc`'s contract.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// Each differs from the first in one thing; all take megabytes, beside which the tape itself is small.
fn grid() -> Vec<(Config, usize)> {
    let mut first = Config::default();
    let model = &mut first.model;
    (model.layers, model.width, model.heads, model.hidden, model.context) = (2, 64, 4, 256, 64);
    type Change = fn(&mut Config);
    let grid: [(Change, usize); 33] = [
        (|_| (), 65),
        (|config| config.model.layers = 5, 65),
        (|config| config.model.width = 200, 65),
        (|config| config.model.width = 24, 65),
        (|config| config.model.heads = 16, 65),
        (|config| config.model.hidden = 20, 65),
        (|config| (config.model.context, config.training.batch_size) = (1024, 1), 65),
        (|config| config.training.batch_size = 37, 65),
        (|config| config.training.accumulation = 2, 65),
        (|config| (config.data.packing, config.training.accumulation) = (Packing::Masked, 2), 65),
        (|_| (), 5000),
        (|config| config.model.tied_head = false, 5000),
        (|config| config.model.norm = Norm::RmsNorm, 65),
        (|config| config.training.batch_size = 300, 257),
        (|config| config.optimizer = optimizer(OptimizerKind::Sgd), 65),
        (|config| config.optimizer = optimizer(OptimizerKind::Adamw8bit), 65),
        (|config| config.optimizer = optimizer(OptimizerKind::Lion), 65),
        (|config| config.optimizer = optimizer(OptimizerKind::Sophia), 65),
        (|config| config.optimizer = optimizer(OptimizerKind::Adafactor), 65),
        (|config| config.optimizer = optimizer(OptimizerKind::Muon), 65),
        (|config| (config.optimizer, config.model.hidden) = (optimizer(OptimizerKind::Muon), 40), 65),
        (|config| config.model.activation = Activation::Swiglu, 65),
        (|config| (config.model.norm_position, config.model.biases) = (NormPosition::Post, false), 65),
        (|config| (config.model.dropout, config.model.logit_soft_cap) = (0.1, 30.0), 65),
        (|config| (config.model.position, config.model.qk_norm) = (Position::Rope, true), 65),
        (|config| (config.model.position, config.model.kv_heads) = (Position::Sinusoidal, 1), 65),
        (|config| (config.model.position, config.evaluation.context) = (Position::Alibi, 1500), 65),
        (|config| (config.model.position, config.evaluation.context) = (Position::Rope, 4096), 65),
        (|config| config.evaluation.context = 10, 65),
        (|config| config.training.checkpointing = true, 65),
        (|config| (config.model, config.training.batch_size) = (long_and_narrow(8192), 1), 65),
        // Three lengths, each with recordings and estimates of its own.
        (|config| (config.optimizer, config.schedule) = (optimizer(OptimizerKind::Sophia), warmed(config)), 65),
        // Long and narrow: attention's own matrices are a large part.
        (|config| (config.model, config.training.batch_size) = (long_and_narrow(4096), 1), 65),
    ];
    grid.map(|(change, vocabulary)| {
        let mut config = first.clone();
        change(&mut config);
        (config, vocabulary)
    })
    .to_vec()
}

fn optimizer(kind: OptimizerKind) -> OptimizerConfig {
    OptimizerConfig::defaults(kind)
}

/// A context that grows in two doublings.
fn warmed(config: &Config) -> ScheduleConfig {
    let start = config.model.context / 4;
    ScheduleConfig { context_start: start, context_warmup_steps: 10, ..config.schedule.clone() }
}

fn long_and_narrow(context: u32) -> ModelConfig {
    ModelConfig { layers: 1, width: 16, heads: 1, hidden: 16, context, ..ModelConfig::default() }
}

async fn plans_are_what_is_allocated() {
    plans_of_replicas_are_what_is_allocated().await;
    for device in [&Device::Cpu, gpu().await] {
        for (config, vocabulary) in grid() {
            let plan = Plan::new(&config, vocabulary, device).expect("it fits");
            let allocated = match device {
                Device::Cpu => counted(&plan).await,
                Device::Gpu(_) => {
                    let mut engine = engine(&plan, device);
                    // What a checkpoint reads.
                    engine.read(plan.weights).await.expect("it can be read");
                    for &(_, arena) in &plan.state.arenas {
                        engine.read(arena).await.expect("it can be read");
                    }
                    engine.allocated_bytes()
                }
            };
            let planned = plan.summary().bytes.total;
            let off = allocated as f64 / planned as f64 - 1.0;
            println!("{}: planned {planned} bytes, allocated {allocated}, {:+.2} %", device.name(), 100.0 * off);
            assert!(off.abs() < 0.1, "{}: {planned} bytes planned, {allocated} allocated: {config:?}", device.name());
        }
    }
}

/// The same where replicas share the batches: all of them together.
async fn plans_of_replicas_are_what_is_allocated() {
    let text = tiny_tales(40_000, 1);
    for (mut config, _) in grid() {
        (config.training.steps, config.evaluation.bytes, config.evaluation.final_bytes) = (1, 256, 256);
        // A text and what is made of it are no part of the plan; where the run is small beside them it tells nothing.
        let dataset = Rc::new(Dataset::new(&text, TokenizerKind::Bytes, 0.3).expect("a good text"));
        for workers in [1, 2] {
            let before = IN_USE.load(Ordering::Relaxed);
            MOST.store(before, Ordering::Relaxed);
            let late = Box::new(Late::new(workers));
            let made = Trainer::replicated(&config, Rc::clone(&dataset), late).await;
            let mut trainer = made.unwrap_or_else(|error| panic!("{error}"));
            trainer.evaluate().await.expect("a validation");
            trainer.sample(&config.evaluation).await.expect("a sample");
            train(&mut trainer, 1).await.expect("a step");
            let allocated = MOST.load(Ordering::Relaxed) - before;
            let planned = trainer.plan.bytes.total;
            let off = allocated as f64 / planned as f64 - 1.0;
            assert!(off.abs() < 0.1, "{workers} workers: {planned} bytes planned, {allocated} allocated: {config:?}");
            println!("{workers} workers: planned {planned} bytes, allocated {allocated}, {:+.2} %", 100.0 * off);
        }
    }
}

fn engine(plan: &Plan, device: &Device) -> Engine {
    Engine::new(device, &plan.buffers, plan.state.metrics.len).expect("the buffers fit")
}

/// The most that was in use while all three passes were made and played on the CPU.
async fn counted(plan: &Plan) -> u64 {
    let before = IN_USE.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let mut engine = engine(plan, &Device::Cpu);
    for recording in plan.recordings() {
        let program = engine.add(recording, &mut |_, _| ()).await.expect("the CPU takes any recording");
        let step = Step { temperature: 1.0, ..Step::default() };
        engine.run(program, 0..recording.ops.len(), &step, None).expect("the CPU plays any recording");
    }
    let most = MOST.load(Ordering::Relaxed) - before;
    let buffers: usize = plan.buffers.specs.iter().map(|spec| 4 * spec.len).sum();
    // On the CPU, what no op is bound to is not allocated.
    assert!(engine.allocated_bytes() <= buffers as u64, "more buffers than planned");
    most as u64
}
