//! A training run taken apart: a plan's tape on a device or, through the twins in f64, on the oracle; a step at a time.

use trainlab::config::{Config, Norm, Position, TokenizerKind};
use trainlab::cpu::CpuEngine;
use trainlab::data::{Batches, Dataset};
use trainlab::engine::{Device, Engine};
use trainlab::error::Result;
use trainlab::kernels::embedding::TokenIndex;
use trainlab::optimizer;
use trainlab::plan::Plan;
use trainlab::tape::Tensor;
use trainlab::trainer::{Metric, Trainer};

/// A config small enough for software adapters.
pub struct Small {
    pub layers: u32,
    pub width: u32,
    pub heads: u32,
    pub hidden: u32,
    pub context: u32,
    pub batch_size: u32,
    pub norm: Norm,
    pub tied_head: bool,
}

impl Small {
    pub fn config(&self) -> Config {
        let mut config = Config::default();
        let model = &mut config.model;
        (model.layers, model.width, model.heads) = (self.layers, self.width, self.heads);
        (model.hidden, model.context, model.norm) = (self.hidden, self.context, self.norm);
        model.tied_head = self.tied_head;
        config.training.batch_size = self.batch_size;
        config.schedule.warmup_steps = 2;
        config.tokenizer.kind = TokenizerKind::Characters;
        config
    }
}

/// Both norms, tied and untied; token counts, widths and heads that are no multiples of a tile or a workgroup.
pub const SMALL: [Small; 3] = [
    Small {
        layers: 2,
        width: 24,
        heads: 2,
        hidden: 36,
        context: 33,
        batch_size: 3,
        norm: Norm::LayerNorm,
        tied_head: true,
    },
    Small {
        layers: 1,
        width: 40,
        heads: 5,
        hidden: 50,
        context: 9,
        batch_size: 2,
        norm: Norm::RmsNorm,
        tied_head: false,
    },
    Small {
        layers: 1,
        width: 16,
        heads: 1,
        hidden: 64,
        context: 65,
        batch_size: 1,
        norm: Norm::LayerNorm,
        tied_head: false,
    },
];

/// What a model's attention and positions may be, each value at least once, at small sizes.
pub fn variants() -> Vec<Config> {
    let variant = |(position, heads, kv_heads, qk_norm): (Position, u32, u32, bool)| {
        let mut config = SMALL[0].config();
        let model = &mut config.model;
        (model.layers, model.width, model.context) = (2, 8 * heads, 17);
        (model.heads, model.position, model.kv_heads, model.qk_norm) = (heads, position, kv_heads, qk_norm);
        if position == Position::Rope {
            (model.rope_base, model.rope_interpolation) = (500.0, 1.5);
        }
        config
    };
    let all = [
        (Position::None, 3, 0, false),
        (Position::Learned, 2, 1, true),
        (Position::Sinusoidal, 2, 0, false),
        (Position::Rope, 3, 1, false),
        (Position::Rope, 4, 2, true),
        (Position::Alibi, 6, 2, false),
    ];
    all.map(variant).to_vec()
}

/// A text with enough structure to be learnt, in characters: 2 parts in 5 are held out.
pub fn dataset() -> Dataset {
    let text = "the cat sat on the mat. the dog sat on the log. what sat on what? ".repeat(6);
    Dataset::new(&text, TokenizerKind::Characters, 0.4).expect("a good text")
}

pub struct Lab {
    pub plan: Plan,
    config: Config,
    machine: Machine,
    index: TokenIndex,
}

enum Machine {
    Oracle(Box<CpuEngine<f64>>),
    Device(Engine),
}

impl Lab {
    /// On a device, or, where there is none, on the oracle.
    pub async fn new(config: &Config, vocabulary: usize, device: Option<&Device>) -> Self {
        let plan = Plan::new(config, vocabulary, &Device::Cpu).expect("the plan fits");
        let initial = plan.parameters.initial(config);
        let machine = match device {
            None => {
                let mut engine = CpuEngine::new(&plan.buffers);
                engine.add(&plan.train.recording);
                engine.write(plan.weights, &initial);
                Machine::Oracle(Box::new(engine))
            }
            Some(device) => {
                let mut engine = Engine::new(device, &plan.buffers, 1).expect("the buffers fit");
                engine.add(&plan.train.recording, &mut |_, _| {}).await.unwrap_or_else(|error| panic!("{error}"));
                engine.write(plan.weights, &initial);
                Machine::Device(engine)
            }
        };
        let index = TokenIndex::new(plan.train.shape);
        Self { plan, config: config.clone(), machine, index }
    }

    /// Trains on a batch; returns the loss before the update and the gradient's norm.
    pub async fn step(&mut self, step: u32, tokens: &[u32]) -> [f64; 2] {
        let (batch, shape) = (self.plan.train.batch, self.plan.train.shape);
        let numbers = optimizer::step(&self.config, step);
        let micro_batches = tokens.chunks_exact(shape.tokens_len());
        assert_eq!(micro_batches.len(), self.plan.train.recording.rounds().count(), "micro-batches");
        for (tokens, ops) in micro_batches.zip(self.plan.train.recording.rounds()) {
            self.index.fill(shape, tokens);
            let ids = [(batch.tokens, tokens), (batch.starts, &self.index.starts), (batch.order, &self.index.order)];
            match &mut self.machine {
                Machine::Oracle(engine) => {
                    ids.into_iter().for_each(|(tensor, ids)| engine.write_ids(tensor, ids));
                    engine.run(0, ops, &numbers);
                }
                Machine::Device(engine) => {
                    ids.into_iter().for_each(|(tensor, ids)| engine.write_ids(tensor, ids));
                    engine.run(0, ops, &numbers, None).unwrap_or_else(|error| panic!("step {step}: {error}"));
                }
            }
        }
        let metrics = self.read(self.plan.state.metrics).await;
        [metrics[0], metrics[1]]
    }

    /// The device's engine; the oracle has none.
    pub fn engine(&mut self) -> Option<&mut Engine> {
        match &mut self.machine {
            Machine::Oracle(_) => None,
            Machine::Device(engine) => Some(engine),
        }
    }

    pub async fn read(&mut self, tensor: Tensor) -> Vec<f64> {
        match &mut self.machine {
            Machine::Oracle(engine) => engine.read(tensor).to_vec(),
            Machine::Device(engine) => {
                let values = engine.read(tensor).await.unwrap_or_else(|error| panic!("{error}"));
                values.into_iter().map(f64::from).collect()
            }
        }
    }
}

/// The batches of a run over the training part.
pub fn batches(config: &Config, dataset: &Dataset) -> Batches {
    let (batch_size, context) = (config.training.batch_size as usize, config.model.context as usize);
    Batches::new(dataset.train.len(), batch_size, context, config.training.seed.into())
        .expect("the text is long enough")
}

/// Takes a run to its `steps`-th step, natively and in the browser alike.
pub async fn train(trainer: &mut Trainer, steps: u32) -> Result<Vec<Metric>> {
    let mut metrics = vec![];
    while trainer.finished() < steps {
        while trainer.submitted() < steps && trainer.has_room() {
            trainer.step()?;
        }
        // Waiting for this, the browser gets to hand over the metrics too.
        trainer.weights().await?;
        metrics.extend(trainer.collect()?);
    }
    Ok(metrics)
}
