//! Backward twins against central differences of the forward twins, and the gradients of whole models against those of
//! their loss; all in f64, on the CPU.

mod common;

use common::{Case, assert_close, cases, random, tests};
use trainlab::config::{Activation, ModelConfig, Norm, Position};
use trainlab::cpu::CpuEngine;
use trainlab::kernels::Step;
use trainlab::kernels::attention::{
    AttentionBackwardKeyValue, AttentionBackwardQuery, AttentionForward, AttentionShape,
};
use trainlab::kernels::cross_entropy::CrossEntropy;
use trainlab::kernels::embedding::{Embed, EmbedBackward, EmbedShape, TokenIndex};
use trainlab::kernels::matmul::{ActivationEnd, Ends, Layout, MatMul};
use trainlab::kernels::norm::{NormBackward, NormForward};
use trainlab::kernels::position::Table;
use trainlab::kernels::query_key::{QueryKey, QueryKeyBackward};
use trainlab::kernels::reduce::SumGroups;
use trainlab::layers::{Batch, Recorder};
use trainlab::model;
use trainlab::parameters::Parameters;
use trainlab::tape::{Buffers, Purpose, Recording, Tape, Tensor, aligned};

tests![
    two_linear_layers,
    norms,
    attention,
    queries_and_keys,
    cross_entropy,
    embeddings,
    models_with_other_positions_and_heads,
    tied_layer_norm_model,
    untied_rms_norm_model,
    tied_model_in_chunks,
    untied_model_in_chunks,
];

/// The step of a central difference: its error is of the order of H², and rounding adds 1e-16 / H.
const H: f64 = 1e-5;
const TOLERANCES: [f64; 2] = [1e-6, 1e-9];

/// ∂f/∂x_i at `x` for each i.
fn differences(x: &[f64], f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let at = |i: usize, offset: f64| {
        let mut x = x.to_vec();
        x[i] += offset;
        f(&x)
    };
    (0..x.len()).map(|i| (at(i, H) - at(i, -H)) / (2.0 * H)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Holds `gradient` against the differences of Σ weights · output with respect to `input`.
fn check(forward: &Case, output: &str, weights: &[f64], input: &str, gradient: &[f64]) {
    let loss = |x: &[f64]| dot(weights, &forward.clone().with(input, x).output(output));
    let expected = differences(forward.input(input), loss);
    assert_close(&format!("{:?}: gradient of `{input}`", forward.kernel), gradient, &expected, TOLERANCES);
}

/// y = gelu(x W₁ᵀ + b₁) W₂ᵀ + b₂ + residual, with the products that `layers::linear` records.
async fn two_linear_layers() {
    let (rows, inputs, hidden, outputs) = (5, 3, 7, 6);
    let forward = ActivationEnd::Forward(Activation::Gelu);
    let backward = ActivationEnd::Backward(Activation::Gelu);
    let product = |layout, m, n, k, ends| Case::new(MatMul::new(layout, m, n, k).with(ends));

    let ends = Ends { bias: true, activation: forward, ..Ends::default() };
    let up = product(Layout::NT, rows, hidden, inputs, ends).scaled("a", 2.0);
    let ends = Ends { bias: true, residual: true, ..Ends::default() };
    let down = product(Layout::NT, rows, outputs, hidden, ends).with("a", up.output("c"));
    let dy = random(100, rows * outputs, 1.0);

    let sums = Ends { sums: true, ..Ends::default() };
    let dw = product(Layout::TN, outputs, hidden, rows, sums).with("a", &dy[..]).with("b", down.input("a"));
    check(&down, "c", &dy, "b", &dw.output("c"));
    check(&down, "c", &dy, "bias", &dw.output("sums"));
    check(&down, "c", &dy, "residual", &dy);
    let dx = product(Layout::NN, rows, hidden, outputs, Ends::default()).with("a", &dy[..]).with("b", down.input("b"));
    check(&down, "c", &dy, "a", &dx.output("c"));

    // Through both layers: dx · gelu′(pre) is the gradient of what the first one's product gives.
    let ends = Ends { activation: backward, ..Ends::default() };
    let dpre = product(Layout::NN, rows, hidden, outputs, ends)
        .with("a", &dy[..])
        .with("b", down.input("b"))
        .with("pre", up.output("pre"))
        .output("c");
    let through = |input: &str, gradient: &[f64]| check(&up, "c", &dx.output("c"), input, gradient);
    let dw = product(Layout::TN, hidden, inputs, rows, sums).with("a", &dpre[..]).with("b", up.input("a"));
    through("b", &dw.output("c"));
    through("bias", &dw.output("sums"));
    let dx = product(Layout::NN, rows, inputs, hidden, Ends::default()).with("a", dpre).with("b", up.input("b"));
    through("a", &dx.output("c"));
}

async fn norms() {
    for norm in [Norm::LayerNorm, Norm::RmsNorm] {
        let (rows, width) = (18, 12);
        let forward = Case::new(NormForward::new(norm, rows, width));
        let dy = random(100, rows * width, 1.0);
        let backward = Case::new(NormBackward::new(norm, rows, width, false))
            .with("dy", &dy[..])
            .with("x", forward.input("x"))
            .with("weight", forward.input("weight"))
            .with("moments", forward.output("moments"));
        check(&forward, "y", &dy, "x", &backward.output("dx"));

        let kernel = SumGroups {
            sets: 1,
            groups: NormBackward::groups(rows),
            width: NormBackward::share(norm, width),
            accumulate: false,
        };
        let sums = Case::new(kernel).with("shares", backward.output("shares")).output("sums");
        check(&forward, "y", &dy, "weight", &sums[..width]);
        if norm.has_bias() {
            check(&forward, "y", &dy, "bias", &sums[aligned(width)..][..width]);
        }
    }
}

async fn attention() {
    // The second and the last are longer than the twins' tile.
    for (batch, heads, kv_heads, context, position) in [
        (2, 3, 3, 5, Position::None),
        (1, 1, 1, 67, Position::None),
        (2, 4, 2, 5, Position::None),
        (1, 6, 2, 7, Position::Alibi),
        (1, 2, 1, 67, Position::Alibi),
    ] {
        let shape = AttentionShape { kv_heads, position, ..AttentionShape::new(batch, context, heads, 4) };
        let forward = Case::new(AttentionForward(shape)).scaled("qkv", 1.5);
        let dout = random(100, shape.out_len(), 1.0);
        let query = Case::new(AttentionBackwardQuery(shape))
            .with("dout", &dout[..])
            .with("qkv", forward.input("qkv"))
            .with("out", forward.output("out"))
            .with("log_sum", forward.output("log_sum"));
        let key_value = Case::new(AttentionBackwardKeyValue(shape))
            .with("dout", &dout[..])
            .with("qkv", forward.input("qkv"))
            .with("log_sum", forward.output("log_sum"))
            .with("delta", query.output("delta"))
            .with("dqkv", query.output("dqkv"));
        check(&forward, "out", &dout, "qkv", &key_value.output("dqkv"));
    }
}

async fn queries_and_keys() {
    for (position, norm) in [(Position::Rope, false), (Position::None, true), (Position::Rope, true)] {
        // More than one group of tokens.
        let shape = AttentionShape { kv_heads: 2, position, ..AttentionShape::new(2, 9, 4, 8) };
        let forward = Case::new(QueryKey { shape, norm, keep: norm, decode: false });
        let forward = cases::with_turns(forward, shape).scaled("qkv", 2.0);
        let dy = random(100, shape.qkv_len(), 1.0);
        let mut backward = Case::new(QueryKeyBackward { shape, norm }).with("dqkv", &dy[..]);
        backward = cases::with_turns(backward, shape);
        if norm {
            for name in ["q_weight", "k_weight"] {
                backward = backward.with(name, forward.input(name));
            }
            backward = backward.with("raw", forward.output("raw"));
        }
        check(&forward, "qkv", &dy, "qkv", &backward.output("dqkv"));
        if norm {
            let groups = QueryKeyBackward::groups(shape.tokens());
            let kernel = SumGroups { sets: 2, groups, width: QueryKeyBackward::share(8), accumulate: false };
            let sums = Case::new(kernel).with("shares", backward.output("shares")).output("sums");
            check(&forward, "qkv", &dy, "q_weight", &sums[..8]);
            check(&forward, "qkv", &dy, "k_weight", &sums[aligned(8)..][..8]);
        }
    }
}

async fn cross_entropy() {
    let (batch, context, vocabulary, rows) = (3, 4, 5, 7);
    let gradient_scale = Some(0.25);
    let kernel = CrossEntropy {
        batch,
        context,
        vocabulary,
        first_row: 2,
        rows,
        gradient_scale,
        accumulate: false,
        alone: false,
    };
    let tokens: Vec<u32> = (0..15).map(|i| i * 7 % 5).collect();
    let case = Case::new(kernel).with_ids("tokens", &tokens).scaled("logits", 3.0);
    check(&case, "losses", &vec![0.25; rows], "logits", &case.output("logits"));
}

async fn embeddings() {
    let shape = EmbedShape { batch: 3, context: 5, vocabulary: 7, width: 4 };
    let tokens = cases::tokens(shape);
    let forward = Case::new(Embed { shape, positions: true, decode: false }).with_ids("tokens", &tokens);
    let dx = random(100, shape.rows() * shape.width, 1.0);
    let mut index = TokenIndex::new(shape);
    index.fill(shape, &tokens);
    let kernel = EmbedBackward { shape, accumulate_tokens: false, positions: true, accumulate_positions: false };
    let backward =
        Case::new(kernel).with("dx", &dx[..]).with_ids("starts", &index.starts).with_ids("order", &index.order);
    check(&forward, "x", &dx, "token_embedding", &backward.output("dtoken"));
    check(&forward, "x", &dx, "position_embedding", &backward.output("dposition"));
}

async fn tied_layer_norm_model() {
    check_model(&model(Norm::LayerNorm, true, 5), 1);
}

async fn untied_rms_norm_model() {
    check_model(&model(Norm::RmsNorm, false, 5), 1);
}

async fn tied_model_in_chunks() {
    check_model(&model(Norm::RmsNorm, true, 65), 3);
}

async fn untied_model_in_chunks() {
    check_model(&model(Norm::LayerNorm, false, 65), 3);
}

async fn models_with_other_positions_and_heads() {
    let first = ModelConfig { width: 32, heads: 4, ..model(Norm::RmsNorm, true, 5) };
    for (position, kv_heads, qk_norm) in [
        (Position::None, 0, false),
        (Position::Sinusoidal, 1, false),
        (Position::Rope, 0, false),
        (Position::Rope, 2, true),
        (Position::Alibi, 2, false),
        (Position::Learned, 1, true),
    ] {
        check_model(&ModelConfig { position, kv_heads, qk_norm, rope_interpolation: 1.5, ..first.clone() }, 1);
    }
}

fn model(norm: Norm, tied_head: bool, context: u32) -> ModelConfig {
    ModelConfig { layers: 2, width: 8, heads: 2, hidden: 12, context, norm, tied_head, ..Default::default() }
}

/// Elements of each parameter against differences of the mean loss, which runs in `chunks`.
fn check_model(config: &ModelConfig, chunks: usize) {
    let mut model = Model::new(config, chunks);
    let parameters = Parameters::new(config, Model::VOCABULARY);
    // Of a size at which no gradient vanishes.
    let mut values = random(1, parameters.len, 0.5);
    for parameter in parameters.list.iter().filter(|parameter| parameter.name.contains("norm")) {
        values[parameter.range.clone()].iter_mut().for_each(|value| *value += 1.0);
    }
    let (loss, gradient) = model.loss_and_gradient(&values);
    assert_close("the loss of both tapes", &[loss], &[model.loss(&values)], [1e-14, 0.0]);

    for parameter in &parameters.list {
        let len = parameter.range.len();
        let count = len.min(if chunks == 1 { 40 } else { 6 });
        for place in (0..count).map(|i| i * len / count) {
            let at = parameter.range.start + place;
            let mut loss_beside = |offset: f64| {
                let mut values = values.clone();
                values[at] += offset;
                model.loss(&values)
            };
            let expected = (loss_beside(H) - loss_beside(-H)) / (2.0 * H);
            let what = format!("{config:?}: gradient of {}[{place}]", parameter.name);
            assert_close(&what, &[gradient[at]], &[expected], TOLERANCES);
        }
    }
}

/// A model's forward pass and, as another tape, its forward and backward passes.
struct Model {
    engine: CpuEngine<f64>,
    forward: Recording,
    both: Recording,
    weights: Tensor,
    gradients: Tensor,
    losses: Tensor,
}

impl Model {
    const VOCABULARY: usize = 7;

    fn new(config: &ModelConfig, chunks: usize) -> Self {
        let (context, vocabulary) = (config.context as usize, Self::VOCABULARY);
        let shape = EmbedShape { batch: 2, context, vocabulary, width: config.width as usize };
        let parameters = Parameters::new(config, vocabulary);
        let mut buffers = Buffers::default();
        let mut add = |name, len| buffers.add(name, Purpose::Traffic, len);
        let (weights, gradients) = (add("weights", parameters.len), add("gradients", parameters.len));
        let (tokens, starts) = (add("tokens", shape.tokens_len()), add("starts", shape.starts_len()));
        let (order, losses) = (add("order", shape.rows()), add("losses", shape.rows()));
        let positions = Table::of(config, context).map(|table| buffers.add_table("positions", table));

        let mut record = |gradients| {
            let mut r = Recorder {
                tape: Tape::new(),
                parameters: &parameters,
                weights,
                gradients,
                decodes: false,
                batch: Batch { tokens, starts, order },
                positions,
                shape,
                micro_batches: 1,
                accumulate: false,
                largest: shape.rows().div_ceil(chunks) * vocabulary,
            };
            model::loss(&mut r, config, losses);
            r.tape.finish(&mut buffers)
        };
        let (forward, both) = (record(None), record(Some(gradients)));
        let heads = both.ops.iter().filter(|op| op.kernel.name() == "CrossEntropy").count();
        assert_eq!(heads, shape.rows().div_ceil(if chunks > 1 { 64 } else { shape.rows() }), "chunks of 64 rows");

        let mut engine = CpuEngine::new(&buffers);
        engine.add(&forward);
        engine.add(&both);
        let batch = cases::tokens(shape);
        let mut index = TokenIndex::new(shape);
        index.fill(shape, &batch);
        for (tensor, ids) in [(tokens, &batch), (starts, &index.starts), (order, &index.order)] {
            engine.write_ids(tensor, ids);
        }
        Self { engine, forward, both, weights, gradients, losses }
    }

    fn loss(&mut self, weights: &[f64]) -> f64 {
        self.engine.write_exact(self.weights, weights);
        self.engine.run(0, 0..self.forward.ops.len(), &Step::default());
        self.mean_loss()
    }

    fn loss_and_gradient(&mut self, weights: &[f64]) -> (f64, Vec<f64>) {
        self.engine.write_exact(self.weights, weights);
        self.engine.run(1, 0..self.both.ops.len(), &Step::default());
        (self.mean_loss(), self.engine.read(self.gradients).to_vec())
    }

    fn mean_loss(&self) -> f64 {
        let losses = self.engine.read(self.losses);
        losses.iter().sum::<f64>() / losses.len() as f64
    }
}
