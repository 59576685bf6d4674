//! A training run taken apart: a plan's tape on a device or, through the twins in f64, on the oracle; a step at a time.

use std::ops::Range;

use trainlab::config::{Activation, Config, Norm, NormPosition, Position, TokenizerKind};
use trainlab::cpu::CpuEngine;
use trainlab::data::{Batches, Dataset, Rows};
use trainlab::engine::{Device, Engine};
use trainlab::error::Result;
use trainlab::kernels::Step;
use trainlab::kernels::embedding::TokenIndex;
use trainlab::optimizer;
use trainlab::parameters::Parameters;
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

/// The choices that [`SMALL`] leaves at their defaults, some of them at once.
pub fn block_variants() -> [Config; 3] {
    let [mut first, mut second, mut third] = SMALL.map(|small| small.config());
    let model = &mut first.model;
    (model.activation, model.norm_position) = (Activation::Swiglu, NormPosition::Post);
    (model.dropout, model.logit_soft_cap) = (0.2, 5.0);
    (first.training.label_smoothing, first.training.z_loss) = (0.1, 0.01);
    (second.model.activation, second.model.biases) = (Activation::SquaredRelu, false);
    second.model.dropout = 0.5;
    (third.model.activation, third.model.equal_parameters) = (Activation::Geglu, false);
    third.model.biases = false;
    [first, second, third]
}

/// What a model's attention and positions may be, each value at least once, at small sizes.
pub fn attention_variants() -> Vec<Config> {
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
    positions: TokenIndex,
}

enum Machine {
    Oracle(Box<CpuEngine<f64>>),
    Device(Engine),
}

impl Lab {
    /// On a device, or, where there is none, on the oracle.
    pub async fn new(config: &Config, vocabulary: usize, device: Option<&Device>) -> Self {
        Self::starting(config, vocabulary, device, |parameters| parameters.initial(config)).await
    }

    /// From other parameters than a run would start with: their arena.
    pub async fn starting(
        config: &Config,
        vocabulary: usize,
        device: Option<&Device>,
        initial: impl FnOnce(&Parameters) -> Vec<f32>,
    ) -> Self {
        let plan = Plan::new(config, vocabulary, &Device::Cpu).expect("the plan fits");
        let initial = initial(&plan.parameters);
        // What validates and samples knows nothing of packing: it is not compiled again.
        let packed = plan.train.batch.packed.is_some();
        let count = if packed { 1 + usize::from(plan.estimate.is_some()) } else { usize::MAX };
        let machine = match device {
            None => {
                let mut engine = CpuEngine::new(&plan.buffers);
                for recording in plan.recordings().into_iter().take(count) {
                    engine.add(recording);
                }
                engine.write(plan.weights, &initial);
                Machine::Oracle(Box::new(engine))
            }
            Some(device) => {
                let mut engine = Engine::new(device, &plan.buffers, 1).expect("the buffers fit");
                for recording in plan.recordings().into_iter().take(count) {
                    engine.add(recording, &mut |_, _| {}).await.unwrap_or_else(|error| panic!("{error}"));
                }
                engine.write(plan.weights, &initial);
                Machine::Device(engine)
            }
        };
        let index = TokenIndex::new(plan.train.shape);
        let positions = TokenIndex::of_positions(plan.train.shape);
        Self { plan, config: config.clone(), machine, index, positions }
    }

    /// Trains on a batch; returns the loss before the update and the gradient's norm.
    pub async fn step(&mut self, step: u32, tokens: &[u32]) -> [f64; 2] {
        self.step_of(step, &Rows { tokens: tokens.to_vec(), ..Rows::default() }).await
    }

    /// The same on rows that may be packed.
    pub async fn step_of(&mut self, step: u32, rows: &Rows) -> [f64; 2] {
        if optimizer::estimates(&self.config, step) {
            self.play(1, step, rows);
        }
        self.play(0, step, rows);
        let metrics = self.read(self.plan.state.metrics).await;
        [metrics[0], metrics[1]]
    }

    /// Plays the first micro-batch of a step up to its gradients; nothing is updated.
    pub fn play_backward(&mut self, rows: &Rows) {
        let ops = &self.plan.train.recording.ops;
        let end = ops.iter().position(|op| op.label == "gradient norm").expect("a norm");
        self.upload_packed(&rows.first_keys, &rows.weights);
        self.play_ops(0, 1, 0, &rows.tokens, 0..end);
    }

    /// What comes before some of the steps: the gradients are then those on drawn labels.
    pub fn estimate(&mut self, step: u32, tokens: &[u32]) {
        self.play(1, step, &Rows { tokens: tokens.to_vec(), ..Rows::default() });
    }

    /// What goes into the head while training on a micro-batch (rows, C), and the probabilities that come out (rows, V).
    /// Nothing is updated.
    pub async fn head_of_training(&mut self, tokens: &[u32]) -> (Vec<f64>, Vec<f64>) {
        let ops = &self.plan.train.recording.ops;
        let head = ops.iter().position(|op| op.label == "head").expect("a head");
        let (x, logits) = (ops[head].tensors[0], ops[head].tensors[2]);
        self.play_ops(0, 1, 0, tokens, 0..head + 1);
        let (x, logits) = (self.read(x).await, self.read(logits).await);
        let probabilities = logits.chunks_exact(self.plan.train.shape.vocabulary).flat_map(|row| {
            let sum: f64 = row.iter().map(|logit| logit.exp()).sum();
            row.iter().map(move |logit| logit.exp() / sum)
        });
        (x, probabilities.collect())
    }

    /// The logits of a step's first micro-batch in training itself, caught before they turn into their own gradient.
    /// Nothing is updated.
    pub async fn logits(&mut self, tokens: &[u32]) -> Vec<f64> {
        let ops = &self.plan.train.recording.ops;
        let head = ops.iter().position(|op| op.label == "head").expect("a head");
        let logits = ops[head].tensors[2];
        self.play_ops(0, 1, 0, tokens, 0..head + 1);
        self.read(logits).await
    }

    /// One of the plan's recordings, micro-batch by micro-batch.
    fn play(&mut self, program: usize, step: u32, rows: &Rows) {
        let shape = self.plan.train.shape;
        let micro_batches = rows.tokens.chunks_exact(shape.tokens_len());
        let rounds: Vec<_> = self.plan.recordings()[program].rounds().collect();
        assert_eq!(micro_batches.len(), rounds.len(), "micro-batches");
        for (i, (tokens, ops)) in micro_batches.zip(rounds).enumerate() {
            let part = i * shape.rows()..(i + 1) * shape.rows();
            if self.plan.train.batch.packed.is_some() {
                self.upload_packed(&rows.first_keys[part.clone()], &rows.weights[part]);
            }
            self.play_ops(program, step, i as u32, tokens, ops);
        }
    }

    fn upload_packed(&mut self, first_keys: &[u32], weights: &[f32]) {
        let packed = self.plan.train.batch.packed.expect("the plan packs");
        self.positions.fill_positions(self.plan.train.shape, first_keys);
        let mut ids: Vec<(Tensor, &[u32])> = vec![(packed.first_keys, first_keys)];
        if let Some([starts, order]) = packed.positions {
            ids.extend([(starts, &self.positions.starts[..]), (order, &self.positions.order[..])]);
        }
        match &mut self.machine {
            Machine::Oracle(engine) => {
                engine.write(packed.weights, weights);
                ids.into_iter().for_each(|(tensor, ids)| engine.write_ids(tensor, ids));
            }
            Machine::Device(engine) => {
                engine.write(packed.weights, weights);
                ids.into_iter().for_each(|(tensor, ids)| engine.write_ids(tensor, ids));
            }
        }
    }

    fn play_ops(&mut self, program: usize, step: u32, micro_batch: u32, tokens: &[u32], ops: Range<usize>) {
        let (batch, shape) = (self.plan.train.batch, self.plan.train.shape);
        let numbers = optimizer::step(&self.config, step).of_micro_batch(micro_batch as usize, shape.rows());
        self.index.fill(shape, tokens);
        let ids = [(batch.tokens, tokens), (batch.starts, &self.index.starts), (batch.order, &self.index.order)];
        match &mut self.machine {
            Machine::Oracle(engine) => {
                ids.into_iter().for_each(|(tensor, ids)| engine.write_ids(tensor, ids));
                engine.run(program, ops, &numbers);
            }
            Machine::Device(engine) => {
                ids.into_iter().for_each(|(tensor, ids)| engine.write_ids(tensor, ids));
                engine.run(program, ops, &numbers, None).unwrap_or_else(|error| panic!("step {step}: {error}"));
            }
        }
    }

    /// Sets the oracle's parameters, laid out as in the arena.
    pub fn write_weights(&mut self, weights: &[f64]) {
        let Machine::Oracle(engine) = &mut self.machine else { panic!("devices take f32") };
        engine.write_exact(self.plan.weights, weights);
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
