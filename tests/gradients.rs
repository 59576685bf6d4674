//! Backward twins against central differences of the forward twins, and the gradients of whole models against those of
//! their loss; all in f64, on the CPU.

use trainlab::config::{Activation, Config, Norm, NormPosition, Position};
use trainlab::cpu::CpuEngine;
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
use trainlab::kernels::soft_cap::SoftCap;
use trainlab::kernels::{Kernel, Step};
use trainlab::layers::{Batch, Recorder};
use trainlab::model;
use trainlab::parameters::Parameters;
use trainlab::tape::{Buffers, Purpose, Recording, Tape, Tensor, aligned};

use crate::common::{Case, assert_close, cases, random, tests};

tests![
    two_linear_layers,
    norms,
    attention,
    queries_and_keys,
    cross_entropy,
    smoothed_capped_cross_entropy,
    embeddings,
    models_with_other_positions_and_heads,
    tied_layer_norm_model,
    untied_rms_norm_model,
    tied_model_in_chunks,
    untied_model_in_chunks,
    post_norm_model,
    gated_model_without_biases,
    gated_post_norm_model_with_dropout,
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

/// y = hidden W₂ᵀ + b₂ + residual with hidden = act(up), or act(gate) · up, where up and gate are x W₁ᵀ + b₁ with
/// matrices of their own: the products that `layers::linear` records.
async fn two_linear_layers() {
    for activation in cases::ACTIVATIONS {
        check_layers(activation);
    }
}

fn check_layers(activation: Activation) {
    let (rows, inputs, hidden, outputs) = (5, 3, 7, 6);
    let product = |layout, m, n, k, ends| Case::new(MatMul::new(layout, m, n, k).with(ends));

    let bias = Ends { bias: true, ..Ends::default() };
    let gate = product(Layout::NT, rows, hidden, inputs, bias).scaled("a", 2.0);
    let gate = gate.with("b", random(50, hidden * inputs, 1.0)).with("bias", random(51, hidden, 1.0));
    let ends = Ends { activation: ActivationEnd::Forward(activation), ..bias };
    let mut up = product(Layout::NT, rows, hidden, inputs, ends).scaled("a", 2.0);
    if activation.is_gated() {
        up = up.with("gate", gate.output("c"));
    }
    let argument = if activation.is_gated() { gate.output("c") } else { up.output("pre") };
    // A difference across a kink is no slope: nothing may come as near to 0 as H times a weight.
    assert!(argument.iter().all(|x| x.abs() > 100.0 * H), "{activation:?}: {argument:?}");

    let down = product(Layout::NT, rows, outputs, hidden, Ends { residual: true, ..bias }).with("a", up.output("c"));
    let dy = random(100, rows * outputs, 1.0);
    let sums = Ends { sums: true, ..Ends::default() };
    let dw = product(Layout::TN, outputs, hidden, rows, sums).with("a", &dy[..]).with("b", down.input("a"));
    check(&down, "c", &dy, "b", &dw.output("c"));
    check(&down, "c", &dy, "bias", &dw.output("sums"));
    check(&down, "c", &dy, "residual", &dy);
    let dx = product(Layout::NN, rows, hidden, outputs, Ends::default()).with("a", &dy[..]).with("b", down.input("b"));
    check(&down, "c", &dy, "a", &dx.output("c"));

    // Through both layers: what the fused end makes of dx is the gradient of what the first ones' products give.
    let ends = Ends { activation: ActivationEnd::Backward(activation), ..Ends::default() };
    let mut back = product(Layout::NN, rows, hidden, outputs, ends)
        .with("a", &dy[..])
        .with("b", down.input("b"))
        .with("pre", up.output("pre"));
    if activation.is_gated() {
        back = back.with("gate", up.input("gate"));
        check(&up, "c", &dx.output("c"), "gate", &back.output("dgate"));
    }
    let dpre = back.output("c");
    let through = |input: &str, gradient: &[f64]| check(&up, "c", &dx.output("c"), input, gradient);
    let dw = product(Layout::TN, hidden, inputs, rows, sums).with("a", &dpre[..]).with("b", up.input("a"));
    through("b", &dw.output("c"));
    through("bias", &dw.output("sums"));
    let dx = product(Layout::NN, rows, inputs, hidden, Ends::default()).with("a", dpre).with("b", up.input("b"));
    through("a", &dx.output("c"));
}

async fn norms() {
    for (norm, bias) in [(Norm::LayerNorm, true), (Norm::LayerNorm, false), (Norm::RmsNorm, false)] {
        let (rows, width) = (18, 12);
        let forward = Case::new(NormForward { bias, ..NormForward::new(norm, rows, width) });
        let dy = random(100, rows * width, 1.0);
        let backward = Case::new(NormBackward { bias, ..NormBackward::new(norm, rows, width, false) })
            .with("dy", &dy[..])
            .with("x", forward.input("x"))
            .with("weight", forward.input("weight"))
            .with("moments", forward.output("moments"));
        check(&forward, "y", &dy, "x", &backward.output("dx"));

        let kernel = SumGroups {
            sets: 1,
            groups: NormBackward::groups(rows),
            width: NormBackward::share(bias, width),
            accumulate: false,
        };
        let sums = Case::new(kernel).with("shares", backward.output("shares")).output("sums");
        check(&forward, "y", &dy, "weight", &sums[..width]);
        if bias {
            check(&forward, "y", &dy, "bias", &sums[aligned(width)..][..width]);
        }
    }
}

async fn attention() {
    // The second and the last are longer than the twins' tile.
    for (batch, heads, kv_heads, context, position, documents) in [
        (2, 3, 3, 5, Position::None, false),
        (1, 1, 1, 67, Position::None, false),
        (2, 4, 2, 5, Position::None, false),
        (1, 6, 2, 7, Position::Alibi, false),
        (1, 2, 1, 67, Position::Alibi, false),
        (3, 2, 1, 9, Position::None, true),
        (1, 2, 2, 67, Position::Alibi, true),
    ] {
        let shape = AttentionShape { kv_heads, position, documents, ..AttentionShape::new(batch, context, heads, 4) };
        let with = |case: Case| cases::with_documents(case, shape);
        let forward = with(Case::new(AttentionForward(shape)).scaled("qkv", 1.5));
        let dout = random(100, shape.out_len(), 1.0);
        let query = with(Case::new(AttentionBackwardQuery(shape)))
            .with("dout", &dout[..])
            .with("qkv", forward.input("qkv"))
            .with("out", forward.output("out"))
            .with("log_sum", forward.output("log_sum"));
        let key_value = with(Case::new(AttentionBackwardKeyValue(shape)))
            .with("dout", &dout[..])
            .with("qkv", forward.input("qkv"))
            .with("log_sum", forward.output("log_sum"))
            .with("delta", query.output("delta"))
            .with("dqkv", query.output("dqkv"));
        check(&forward, "out", &dout, "qkv", &key_value.output("dqkv"));

        // The twin that does the work of both.
        let at_once = AttentionShape { at_once: true, ..shape };
        let mut both = with(Case::new(AttentionBackwardQuery(at_once)));
        for name in ["dout", "qkv", "out", "log_sum"] {
            both = both.with(name, query.input(name));
        }
        assert_eq!(both.output("dqkv"), key_value.output("dqkv"), "{shape:?}");
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

/// Rows 2 to 8 of (3, 4), over five tokens.
fn cross_entropy_case(label_smoothing: f64, z_loss: f64, soft_cap: Option<SoftCap>) -> Case {
    let kernel = CrossEntropy {
        batch: 3,
        context: 4,
        vocabulary: 5,
        first_row: 2,
        rows: 7,
        gradient_scale: Some(0.25),
        label_smoothing,
        z_loss,
        soft_cap,
        weights: false,
        accumulate: false,
        margins: false,
        alone: false,
    };
    let tokens: Vec<u32> = (0..15).map(|i| i * 7 % 5).collect();
    Case::new(kernel).with_ids("tokens", &tokens).scaled("logits", 3.0)
}

async fn cross_entropy() {
    for soft_cap in [None, SoftCap::new(2.0)] {
        let case = cross_entropy_case(0.0, 0.0, soft_cap);
        check(&case, "losses", &[0.25; 7], "logits", &case.output("logits"));
    }
}

/// What is differentiated is not what is shown; so it is written down here once more, from the papers.
async fn smoothed_capped_cross_entropy() {
    for (smoothing, z_loss, cap) in [(0.1, 0.0, 0.0), (0.0, 0.03, 0.0), (0.2, 0.05, 2.0)] {
        let case = cross_entropy_case(smoothing, z_loss, SoftCap::new(cap));
        let tokens = case.inputs[0].ids();
        let objective = |logits: &[f64]| {
            let of_row = |(row, logits): (usize, &[f64])| {
                let at = row + 2;
                let target = tokens[at / 4 * 5 + at % 4 + 1] as usize;
                let y = |v: usize| if cap > 0.0 { cap * (logits[v] / cap).tanh() } else { logits[v] };
                let log_z = (0..5).map(|v| y(v).exp()).sum::<f64>().ln();
                let of_target = |v: usize| log_z - y(v);
                let uniform = (0..5).map(of_target).sum::<f64>() / 5.0;
                (1.0 - smoothing) * of_target(target) + smoothing * uniform + z_loss * log_z * log_z
            };
            0.25 * logits.chunks(5).enumerate().map(of_row).sum::<f64>()
        };
        let expected = differences(case.input("logits"), objective);
        assert_close(&format!("{:?}", case.kernel), &case.output("logits"), &expected, TOLERANCES);
        // The loss that is shown stays what it is without smoothing and z-loss.
        let plain = cross_entropy_case(0.0, 0.0, SoftCap::new(cap));
        assert_eq!(case.output("losses"), plain.output("losses"));
    }
}

async fn embeddings() {
    let shape = EmbedShape { batch: 3, context: 5, vocabulary: 7, width: 4 };
    let tokens = cases::tokens(shape);
    let forward =
        Case::new(Embed { shape, positions: true, documents: false, decode: false }).with_ids("tokens", &tokens);
    let dx = random(100, shape.rows() * shape.width, 1.0);
    let mut index = TokenIndex::new(shape);
    index.fill(shape, &tokens);
    let kernel = EmbedBackward {
        shape,
        accumulate_tokens: false,
        positions: true,
        documents: false,
        accumulate_positions: false,
    };
    let backward =
        Case::new(kernel).with("dx", &dx[..]).with_ids("starts", &index.starts).with_ids("order", &index.order);
    check(&forward, "x", &dx, "token_embedding", &backward.output("dtoken"));
    check(&forward, "x", &dx, "position_embedding", &backward.output("dposition"));

    // The same with positions that are counted from each document's start.
    let first_keys = cases::first_keys(shape.batch, shape.context);
    let forward = Case::new(Embed { shape, positions: true, documents: true, decode: false });
    let forward = forward.with_ids("tokens", &tokens).with_ids("first_keys", &first_keys);
    let mut sorted = TokenIndex::of_positions(shape);
    sorted.fill_positions(shape, &first_keys);
    let mut backward = Case::new(EmbedBackward {
        shape,
        accumulate_tokens: false,
        positions: true,
        documents: true,
        accumulate_positions: false,
    });
    for (name, ids) in [
        ("starts", &index.starts),
        ("order", &index.order),
        ("position_starts", &sorted.starts),
        ("position_order", &sorted.order),
    ] {
        backward = backward.with_ids(name, ids);
    }
    let backward = backward.with("dx", &dx[..]);
    check(&forward, "x", &dx, "position_embedding", &backward.output("dposition"));
}

async fn tied_layer_norm_model() {
    check_model(1, |_| ());
}

async fn untied_rms_norm_model() {
    check_model(1, |config| (config.model.norm, config.model.tied_head) = (Norm::RmsNorm, false));
}

async fn tied_model_in_chunks() {
    check_model(3, |config| config.model.norm = Norm::RmsNorm);
}

async fn untied_model_in_chunks() {
    check_model(3, |config| config.model.tied_head = false);
}

async fn post_norm_model() {
    check_model(1, |config| config.model.norm_position = NormPosition::Post);
}

async fn gated_model_without_biases() {
    check_model(1, |config| (config.model.activation, config.model.biases) = (Activation::Swiglu, false));
}

async fn gated_post_norm_model_with_dropout() {
    check_model(1, |config| {
        let model = &mut config.model;
        (model.activation, model.equal_parameters) = (Activation::Geglu, false);
        (model.norm, model.norm_position) = (Norm::RmsNorm, NormPosition::Post);
        (model.dropout, model.logit_soft_cap) = (0.25, 3.0);
    });
}

async fn models_with_other_positions_and_heads() {
    for (position, kv_heads, qk_norm) in [
        (Position::None, 0, false),
        (Position::Sinusoidal, 1, false),
        (Position::Rope, 0, false),
        (Position::Rope, 2, true),
        (Position::Alibi, 2, false),
        (Position::Learned, 1, true),
    ] {
        check_model(1, |config| {
            let model = &mut config.model;
            (model.norm, model.width, model.heads) = (Norm::RmsNorm, 32, 4);
            (model.position, model.kv_heads, model.qk_norm) = (position, kv_heads, qk_norm);
            model.rope_interpolation = 1.5;
        });
    }
}

/// Elements of each parameter against differences of the mean loss, which runs in `chunks`. Only smooth activations:
/// a kink would be met by some unit or other.
fn check_model(chunks: usize, change: impl FnOnce(&mut Config)) {
    let mut config = Config::default();
    let model = &mut config.model;
    (model.layers, model.width, model.heads, model.hidden) = (2, 8, 2, 12);
    model.context = if chunks == 1 { 5 } else { 65 };
    change(&mut config);
    let mut model = Model::new(&config, chunks);
    let parameters = Parameters::new(&config.model, Model::VOCABULARY);
    // Of a size at which no gradient vanishes.
    let mut values = random(1, parameters.len, 0.5);
    for parameter in parameters.list.iter().filter(|parameter| parameter.name.contains("norm")) {
        values[parameter.range.clone()].iter_mut().for_each(|value| *value += 1.0);
    }
    let (loss, gradient) = model.loss_and_gradient(&values);
    let again = model.loss_and_gradient(&values).1;
    assert!(again == gradient, "{config:?}: a second step adds to the gradient of the first");
    if model.drops {
        assert!((loss - model.loss_alone(&values)).abs() > 1e-3, "only training drops");
    } else {
        assert_close("the loss of both tapes", &[loss], &[model.loss_alone(&values)], [1e-14, 0.0]);
    }

    for parameter in &parameters.list {
        let len = parameter.range.len();
        let count = len.min(if chunks == 1 { 40 } else { 6 });
        for place in (0..count).map(|i| i * len / count) {
            let at = parameter.range.start + place;
            let mut loss_beside = |offset: f64| {
                let mut values = values.clone();
                values[at] += offset;
                // With dropout, the loss of what the masks left.
                if model.drops { model.loss_and_gradient(&values).0 } else { model.loss_alone(&values) }
            };
            let expected = (loss_beside(H) - loss_beside(-H)) / (2.0 * H);
            let what = format!("{:?}: gradient of {}[{place}]", config.model, parameter.name);
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
    /// Training differs from validation.
    drops: bool,
}

impl Model {
    const VOCABULARY: usize = 7;

    fn new(config: &Config, chunks: usize) -> Self {
        let (context, vocabulary) = (config.model.context as usize, Self::VOCABULARY);
        let shape = EmbedShape { batch: 2, context, vocabulary, width: config.model.width as usize };
        let parameters = Parameters::new(&config.model, vocabulary);
        let mut buffers = Buffers::default();
        let mut add = |name, len| buffers.add(name, Purpose::Traffic, len);
        let (weights, gradients) = (add("weights", parameters.len), add("gradients", parameters.len));
        let (tokens, starts) = (add("tokens", shape.tokens_len()), add("starts", shape.starts_len()));
        let (order, losses) = (add("order", shape.rows()), add("losses", shape.rows()));
        let positions = Table::of(&config.model, context).map(|table| buffers.add_table("positions", table));

        let mut record = |gradients| {
            let mut r = Recorder {
                tape: Tape::new(),
                parameters: &parameters,
                weights,
                gradients,
                decodes: false,
                batch: Batch { tokens, starts, order, packed: None },
                positions,
                shape,
                rows_of_step: shape.rows(),
                labels: None,
                margins: None,
                accumulate: false,
                checkpointing: config.training.checkpointing,
                largest: shape.rows().div_ceil(chunks) * vocabulary,
                kept: Default::default(),
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
        let drops = both.ops.iter().any(|op| matches!(op.kernel, Kernel::Dropout(_)));
        Self { engine, forward, both, weights, gradients, losses, drops }
    }

    fn loss_alone(&mut self, weights: &[f64]) -> f64 {
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
