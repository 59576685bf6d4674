//! Long contexts: attention and its gradients against their oracles at lengths around every tile, the memory that a
//! plan takes for them, and a step at 8,192 tokens.

use trainlab::config::{Config, Position, TokenizerKind};
use trainlab::data::Dataset;
use trainlab::engine::Device;
use trainlab::kernels::attention::{AttentionForward, AttentionShape};
use trainlab::kernels::query_key::{QueryKey, QueryKeyBackward};
use trainlab::plan::Plan;
use trainlab::trainer::Trainer;

use crate::common::lab::train;
use crate::common::{Case, cases, gpu, random, tests};

tests![
    attention_is_that_of_its_oracles,
    gradients_are_slopes,
    memory_is_linear_in_the_length,
    a_step_of_8192_tokens_trains,
];

const LENGTHS: [usize; 7] = [1, 2, 63, 64, 65, 257, 1000];
const HEAD_SIZES: [usize; 4] = [16, 32, 64, 128];
/// Each changes scores in its own way: not at all, by a bias, by turned queries and keys.
const POSITIONS: [Position; 3] = [Position::None, Position::Alibi, Position::Rope];

/// Groups of heads where that is cheap.
fn shape(context: usize, head_size: usize, position: Position) -> AttentionShape {
    let [heads, kv_heads] = if context * head_size < 2500 { [2, 1] } else { [1, 1] };
    AttentionShape { kv_heads, position, ..AttentionShape::new(1, context, heads, head_size) }
}

/// The kernels of a layer's attention, forward and backward, each with what the ones before it leave.
struct Chain {
    shape: AttentionShape,
    /// Queries, keys and values as they come.
    raw: Vec<f64>,
    dout: Vec<f64>,
}

impl Chain {
    fn new(shape: AttentionShape) -> Self {
        Self { shape, raw: random(7, shape.qkv_len(), 1.5), dout: random(100, shape.out_len(), 1.0) }
    }

    fn turns(&self) -> Option<QueryKey> {
        let kernel = QueryKey { shape: self.shape, norm: false, keep: false, decode: false };
        (self.shape.position == Position::Rope).then_some(kernel)
    }

    fn turned(&self, raw: &[f64]) -> Option<Case> {
        self.turns().map(|kernel| cases::with_turns(Case::new(kernel), self.shape).with("qkv", raw))
    }

    fn forward(&self, raw: &[f64]) -> Case {
        let qkv = self.turned(raw).map_or_else(|| raw.to_vec(), |case| case.output("qkv"));
        Case::new(AttentionForward(self.shape)).with("qkv", qkv)
    }

    /// All cases, and the gradient of Σ dO O by what came in.
    fn all(&self) -> (Vec<Case>, Vec<f64>) {
        let forward = self.forward(&self.raw);
        let query = cases::backward_query(&forward, self.shape).with("dout", &self.dout[..]);
        let key_value = cases::backward_key_value(&query, self.shape).with("dqkv", query.output("dqkv"));
        let mut gradient = key_value.output("dqkv");
        let mut all: Vec<Case> = self.turned(&self.raw).into_iter().chain([forward, query, key_value]).collect();
        if self.turns().is_some() {
            let kernel = QueryKeyBackward { shape: self.shape, norm: false };
            let back = cases::with_turns(Case::new(kernel), self.shape).with("dqkv", gradient);
            gradient = back.output("dqkv");
            all.push(back);
        }
        (all, gradient)
    }

    /// Σ dO O for other inputs.
    fn sum(&self, raw: &[f64]) -> f64 {
        self.forward(raw).output("out").iter().zip(&self.dout).map(|(out, dout)| out * dout).sum()
    }
}

/// Each length, head size and encoding: the f64 twin against naive loops where these are quick, and the CPU in f32; each
/// length and each head size on the GPU once, for each is a shader to compile.
async fn attention_is_that_of_its_oracles() {
    for (i, context) in LENGTHS.into_iter().enumerate() {
        for (j, head_size) in HEAD_SIZES.into_iter().enumerate() {
            for (p, position) in POSITIONS.into_iter().enumerate() {
                let turn = (i + j) % POSITIONS.len() == p;
                let loops = turn && context * context * head_size <= 1 << 24 || context * head_size <= 65 * 32;
                let on_gpu = turn && j == i % HEAD_SIZES.len();
                for case in Chain::new(shape(context, head_size, position)).all().0 {
                    case.check_by(loops, on_gpu).await;
                }
            }
        }
    }
}

/// Along random directions, of everything at once and of the last key's neighbourhood.
async fn gradients_are_slopes() {
    const H: f64 = 1e-5;
    for context in LENGTHS {
        for (j, head_size) in HEAD_SIZES.into_iter().enumerate() {
            for position in POSITIONS {
                if context == 1000 && position != POSITIONS[j % POSITIONS.len()] {
                    continue;
                }
                let chain = Chain::new(shape(context, head_size, position));
                let gradient = chain.all().1;
                let everything = random(3, gradient.len(), 1.0);
                let mut last = everything.clone();
                last[..gradient.len() - chain.shape.qkv_width()].fill(0.0);
                for direction in [everything, last] {
                    let moved = |h: f64| -> Vec<f64> {
                        chain.raw.iter().zip(&direction).map(|(x, along)| x + h * along).collect()
                    };
                    let expected = (chain.sum(&moved(H)) - chain.sum(&moved(-H))) / (2.0 * H);
                    let actual: f64 = gradient.iter().zip(&direction).map(|(g, along)| g * along).sum();
                    let size: f64 = gradient.iter().zip(&direction).map(|(g, along)| (g * along).powi(2)).sum();
                    let off = (actual - expected).abs() / size.sqrt();
                    assert!(off < 1e-6, "{:?}: {actual} along a direction, expected {expected}", chain.shape);
                }
            }
        }
    }
}

/// Batches of one sequence, 1,024 to 8,192 tokens long.
async fn memory_is_linear_in_the_length() {
    for device in [&Device::Cpu, gpu().await] {
        for position in [Position::None, Position::Rope] {
            let plans = [1024, 2048, 4096, 8192].map(|context| {
                let mut config = Config::default();
                (config.model.layers, config.model.width, config.model.position) = (2, 64, position);
                (config.model.context, config.training.batch_size) = (context, 1);
                Plan::new(&config, 65, device).expect("it fits")
            });
            let bytes = plans.each_ref().map(|plan| (plan.bytes.activations + plan.bytes.traffic) as f64);
            let of_token = (bytes[3] - bytes[0]) / (8192.0 - 1024.0);
            for (plan, bytes_of_plan) in plans.iter().zip(bytes) {
                let context = plan.train.shape.context;
                let line = bytes[0] + of_token * (context - 1024) as f64;
                let off = bytes_of_plan / line - 1.0;
                assert!(off.abs() < 0.05, "{context} tokens take {bytes_of_plan} bytes, {line} on a line");
                // Nothing but the parameters' arenas has a fixed part to speak of.
                assert!((bytes[0] / (1024.0 * of_token) - 1.0).abs() < 0.25, "{bytes:?}");
            }
            check_buffers(&plans[0], &plans[3]);
        }
    }
}

/// None has as many elements as a T × T matrix, none grows faster than T.
fn check_buffers(short: &Plan, long: &Plan) {
    let times = long.train.shape.context / short.train.shape.context;
    let sizes = |plan: &Plan| {
        let mut sizes: Vec<usize> = plan.buffers.specs.iter().map(|spec| spec.len).collect();
        sizes.sort_unstable();
        sizes
    };
    let [short_sizes, long_sizes] = [short, long].map(sizes);
    assert_eq!(short_sizes.len(), long_sizes.len(), "buffers");
    for (short, long) in short_sizes.iter().zip(&long_sizes) {
        assert!(*long <= short * times + 64 * times, "{short} elements become {long} at {times} times the length");
    }
    let matrix = long.train.shape.context.pow(2);
    assert!(long_sizes.iter().all(|&size| size < matrix / 8), "a buffer of the order of a T × T matrix");
}

/// On what WebGPU promises everywhere, and on the CPU.
async fn a_step_of_8192_tokens_trains() {
    let mut config = Config::default();
    let model = &mut config.model;
    (model.layers, model.width, model.heads, model.hidden, model.context) = (1, 8, 1, 8, 8192);
    model.position = Position::Rope;
    config.tokenizer.kind = TokenizerKind::Characters;
    (config.training.batch_size, config.training.steps, config.schedule.warmup_steps) = (1, 1, 0);
    let text = "the cat sat on the mat. the dog sat on the log. what sat on what? ".repeat(400);
    let mut losses = vec![];
    for device in [&Device::Cpu, gpu().await] {
        let dataset = Dataset::new(&text, TokenizerKind::Characters, 0.4).expect("a good text");
        let uniform = (dataset.tokenizer.vocabulary_size() as f64).ln();
        let mut trainer = Trainer::new(&config, dataset.into(), device, |_, _| {}).await.expect("it fits");
        let metrics = train(&mut trainer, 1).await.expect("a step");
        assert!((metrics[0].loss - uniform).abs() < 0.1, "{} starts at {}", device.name(), metrics[0].loss);
        losses.push(metrics[0].loss);
    }
    assert!((losses[0] - losses[1]).abs() < 1e-4, "{losses:?}");
}
