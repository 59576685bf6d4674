//! What each kernel computes, once more: by the plainest loops that say it, in f64, with neither the library that the
//! twins lean on nor their tricks. The match is exhaustive: a kernel is not done before it is written here.

// Loops over indices are what the formulas look like.
#![allow(clippy::needless_range_loop)]

use trainlab::config::{Activation, Norm, OptimizerKind, Position};
use trainlab::kernels::attention::AttentionShape;
use trainlab::kernels::cross_entropy::CrossEntropy;
use trainlab::kernels::dropout::Mask;
use trainlab::kernels::embedding::{Embed, EmbedBackward, EmbedShape};
use trainlab::kernels::finish_step::FinishStep;
use trainlab::kernels::matmul::{ActivationEnd, Layout, MatMul};
use trainlab::kernels::norm::{NormBackward, NormForward};
use trainlab::kernels::optimizer::adafactor::{AdafactorApply, Moment};
use trainlab::kernels::optimizer::adamw_8bit::AdamW8bit;
use trainlab::kernels::optimizer::curvature::DrawLabels;
use trainlab::kernels::optimizer::muon::{MuonApply, MuonMomentum, Part};
use trainlab::kernels::optimizer::update::Update;
use trainlab::kernels::pick::Pick;
use trainlab::kernels::query_key::{QueryKey, QueryKeyBackward};
use trainlab::kernels::soft_cap::SoftCap;
use trainlab::kernels::{Kernel, Step};

use super::Values;

/// The bindings of a kernel by name.
struct Bound {
    names: Vec<&'static str>,
    values: Vec<Values>,
}

impl Bound {
    fn at(&self, name: &str) -> usize {
        self.names.iter().position(|&other| other == name).unwrap_or_else(|| panic!("no binding `{name}`"))
    }

    fn get(&self, name: &str) -> Vec<f64> {
        self.values[self.at(name)].numbers().to_vec()
    }

    fn ids(&self, name: &str) -> Vec<usize> {
        self.values[self.at(name)].ids().iter().map(|&id| id as usize).collect()
    }

    fn set(&mut self, name: &str, numbers: Vec<f64>) {
        let at = self.at(name);
        self.values[at] = Values::Numbers(numbers);
    }
}

/// What each binding holds after the kernel has run.
pub fn outputs(kernel: &Kernel, inputs: &[Values], step: &Step) -> Vec<Values> {
    let names = kernel.bindings().into_iter().map(|binding| binding.name).collect();
    let mut bound = Bound { names, values: inputs.to_vec() };
    let bound = &mut bound;
    match kernel {
        Kernel::MatMul(kernel) => matmul(kernel, bound, step),
        Kernel::NormForward(kernel) => norm_forward(kernel, bound),
        Kernel::NormBackward(kernel) => norm_backward(kernel, bound),
        Kernel::AttentionForward(kernel) => attention_forward(kernel.0, bound),
        Kernel::AttentionBackwardQuery(kernel) => attention_backward_query(kernel.0, bound),
        Kernel::AttentionBackwardKeyValue(kernel) => attention_backward_key_value(kernel.0, bound),
        Kernel::AttentionDecode(kernel) => attention_decode(kernel.0, bound, step.position as usize),
        Kernel::AttentionWeights(kernel) => stored_weights(kernel.0, bound),
        Kernel::AttentionMix(kernel) => stored_mix(kernel.0, bound),
        Kernel::QueryKey(kernel) => query_key(kernel, bound, step.position as usize),
        Kernel::QueryKeyBackward(kernel) => query_key_backward(kernel, bound),
        Kernel::Embed(kernel) => embed(kernel, bound, step.position as usize),
        Kernel::EmbedBackward(kernel) => embed_backward(kernel, bound),
        Kernel::Dropout(kernel) => {
            let (x, width) = (bound.get("x"), kernel.width);
            let y = (0..x.len()).map(|i| x[i] * factor(kernel.mask, step, i / width, i % width));
            bound.set("y", y.collect());
        }
        Kernel::CrossEntropy(kernel) => cross_entropy(kernel, bound),
        Kernel::SumGroups(kernel) => {
            let (shares, width) = (bound.get("shares"), kernel.width);
            let share = |set, group, column| shares[(set * kernel.groups + group) * width + column];
            let sum = |i| (0..kernel.groups).map(|group| share(i / width, group, i % width)).sum::<f64>();
            let before = get_if(bound, kernel.accumulate, "sums", kernel.sets * width);
            bound.set("sums", (0..kernel.sets * width).map(|i| before[i] + sum(i)).collect());
        }
        Kernel::SquaredNorm(_) => {
            let chunks = bound.get("x");
            let sums = chunks.chunks(4096).map(|chunk| chunk.iter().map(|x| x * x).sum());
            bound.set("partials", sums.collect());
        }
        Kernel::FinishStep(kernel) => finish_step(kernel, bound),
        Kernel::Update(kernel) => update(kernel, bound, step),
        Kernel::AdamW8bit(kernel) => adamw_8bit(kernel, bound, step),
        Kernel::DrawLabels(kernel) => draw_labels(kernel, bound, step),
        Kernel::Curvature(kernel) => {
            let [control, gradients, mut h] = ["control", "gradients", "h"].map(|name| bound.get(name));
            for (h, g) in h.iter_mut().zip(gradients).filter(|_| control[1] == 0.0) {
                *h = kernel.beta2 * *h + (1.0 - kernel.beta2) * (g * control[0]).powi(2);
            }
            bound.set("h", h);
        }
        Kernel::AdafactorRows(kernel) => adafactor_sums(bound, step, "row", |i| i / kernel.columns),
        Kernel::AdafactorColumns(kernel) => {
            adafactor_sums(bound, step, "column", |i| i % kernel.columns);
        }
        Kernel::AdafactorMeasure(kernel) => adafactor_measure(kernel.0, bound, step),
        Kernel::AdafactorApply(kernel) => adafactor_apply(kernel, bound, step),
        Kernel::MuonMomentum(kernel) => muon_momentum(kernel, bound),
        Kernel::Normalise(_) => {
            let (u, norm) = (bound.get("u"), bound.get("partials").iter().sum::<f64>().sqrt() + 1e-7);
            bound.set("x", u.iter().map(|u| u / norm).collect());
        }
        Kernel::Polynomial(kernel) => {
            let (gram, mut square) = (bound.get("gram"), bound.get("square"));
            for matrix in 0..kernel.count {
                for i in 0..kernel.side {
                    for j in 0..kernel.side {
                        let at = matrix * kernel.stride + i * kernel.side + j;
                        square[at] = -4.775 * gram[at] + 2.0315 * square[at] + if i == j { 3.4445 } else { 0.0 };
                    }
                }
            }
            bound.set("square", square);
        }
        Kernel::MuonApply(kernel) => muon_apply(kernel, bound, step),
        Kernel::Pick(kernel) => pick(kernel, bound, step),
        Kernel::Arithmetic(kernel) => {
            // c = j·xʳ⁺¹ + x + x² + … + xʳ, a geometric series.
            let power = |x: f64| x.powi(kernel.rounds as i32);
            let chain = |x: f64, j: f64| j * x * power(x) + x * (1.0 - power(x)) / (1.0 - x);
            let sums = bound.get("x").into_iter().map(|x| chain(x, 1.0) + chain(x, 2.0) + chain(x, 3.0));
            bound.set("out", sums.collect());
        }
        Kernel::Copy(_) => bound.set("copy", bound.get("source")),
    }
    bound.values.clone()
}

/// ∫ from 0 to x of the normal distribution's density: Gauss and Legendre's five points in each of twenty parts.
fn normal_integral(x: f64) -> f64 {
    let density = |t: f64| (-t * t / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let points = [
        (0.0, 128.0 / 225.0),
        (0.538_469_310_105_683_1, 0.478_628_670_499_366_5),
        (-0.538_469_310_105_683_1, 0.478_628_670_499_366_5),
        (0.906_179_845_938_664, 0.236_926_885_056_189_1),
        (-0.906_179_845_938_664, 0.236_926_885_056_189_1),
    ];
    // Beyond 9 there is no more of it.
    let half = x.clamp(-9.0, 9.0) / 40.0;
    let part =
        |i: u32| points.iter().map(|(at, weight)| weight * density(half * (f64::from(2 * i + 1) + at))).sum::<f64>();
    (0..20).map(part).sum::<f64>() * half
}

/// Of a gated activation: its gate's function.
fn act(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Relu | Activation::Reglu => x.max(0.0),
        Activation::SquaredRelu => x.max(0.0).powi(2),
        Activation::Gelu | Activation::Geglu => x * (0.5 + normal_integral(x)),
        Activation::GeluTanh => {
            0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh())
        }
        Activation::Silu | Activation::Swiglu => x / (1.0 + (-x).exp()),
        Activation::Glu => 1.0 / (1.0 + (-x).exp()),
    }
}

/// By a central difference: an independent word on the slope, good to about 1e-10. Where there is a kink, each side has
/// a slope of its own, and 0 has the left one's.
fn act_slope(activation: Activation, x: f64) -> f64 {
    if matches!(activation, Activation::Relu | Activation::Reglu) {
        return if x > 0.0 { 1.0 } else { 0.0 };
    }
    let h = if activation == Activation::SquaredRelu { 1e-3f64.min(x.abs() / 2.0) } else { 1e-3 };
    if h == 0.0 {
        return 0.0;
    }
    let difference = |h: f64| (act(activation, x + h) - act(activation, x - h)) / (2.0 * h);
    // Two steps of Richardson's extrapolation, for errors of h⁶.
    let extrapolated = |h: f64| (4.0 * difference(h / 2.0) - difference(h)) / 3.0;
    (16.0 * extrapolated(h / 2.0) - extrapolated(h)) / 15.0
}

/// What dropout multiplies an element by: MurmurHash3's finaliser over site, row and column, in whole numbers that do
/// not wrap by themselves.
fn factor(mask: Mask, step: &Step, row: usize, column: usize) -> f64 {
    const ALL: u64 = 1 << 32;
    let counters = [u64::from(mask.site), u64::from(step.first_row) + row as u64, column as u64];
    let noise = counters.into_iter().fold(u64::from(step.noise), |hash, counter| {
        let mut bits = hash ^ (counter * 0x9e37_79b9 % ALL);
        for (shift, factor) in [(16, 0x85eb_ca6b), (13, 0xc2b2_ae35)] {
            bits = (bits ^ bits >> shift) * factor % ALL;
        }
        bits ^ bits >> 16
    });
    let dropped = f64::from(mask.threshold) / ALL as f64;
    if noise < u64::from(mask.threshold) { 0.0 } else { 1.0 / (1.0 - dropped) }
}

/// What a kernel adds to; zeros where it replaces what is there.
fn get_if(bound: &Bound, there: bool, name: &str, len: usize) -> Vec<f64> {
    if there { bound.get(name) } else { vec![0.0; len] }
}

fn matmul(kernel: &MatMul, bound: &mut Bound, step: &Step) {
    let MatMul { m, n, k, ends, .. } = *kernel;
    let (a, b) = (bound.get("a"), bound.get("b"));
    let before = get_if(bound, ends.accumulate, "c", m * n);
    let bias = get_if(bound, ends.bias, "bias", n);
    let gated = match ends.activation {
        ActivationEnd::None => false,
        ActivationEnd::Forward(activation) | ActivationEnd::Backward(activation) => activation.is_gated(),
    };
    let mut pre = get_if(bound, ends.activation != ActivationEnd::None, "pre", m * n);
    let gate = get_if(bound, gated, "gate", m * n);
    let mut dgate = vec![0.0; m * n];
    let residual = get_if(bound, ends.residual, "residual", m * n);
    let at_a = |i: usize, l: usize| if kernel.layout == Layout::TN { a[l * m + i] } else { a[i * k + l] };
    let at_b = |l: usize, j: usize| if kernel.layout == Layout::NT { b[j * k + l] } else { b[l * n + j] };

    let mut c = vec![0.0; m * n];
    for i in 0..m {
        for j in 0..n {
            let at = i * n + j;
            let sum = before[at] + (0..k).map(|l| at_a(i, l) * at_b(l, j)).sum::<f64>() + bias[j];
            let acted = match ends.activation {
                ActivationEnd::None => sum,
                ActivationEnd::Forward(activation) => {
                    pre[at] = sum;
                    if gated { act(activation, gate[at]) * sum } else { act(activation, sum) }
                }
                ActivationEnd::Backward(activation) if gated => {
                    dgate[at] = sum * pre[at] * act_slope(activation, gate[at]);
                    sum * act(activation, gate[at])
                }
                ActivationEnd::Backward(activation) => sum * act_slope(activation, pre[at]),
            };
            c[at] = residual[at] + acted * ends.dropout.map_or(1.0, |mask| factor(mask, step, i, j));
        }
    }
    bound.set("c", c);
    if ends.activation != ActivationEnd::None {
        bound.set("pre", pre);
    }
    if gated && matches!(ends.activation, ActivationEnd::Backward(_)) {
        bound.set("dgate", dgate);
    }
    if ends.sums {
        let before = get_if(bound, ends.accumulate, "sums", m);
        bound.set("sums", (0..m).map(|i| before[i] + (0..k).map(|l| at_a(i, l)).sum::<f64>()).collect());
    }
}

fn norm_forward(kernel: &NormForward, bound: &mut Bound) {
    let (x, weight, width) = (bound.get("x"), bound.get("weight"), kernel.width);
    let bias = get_if(bound, kernel.bias, "bias", width);
    let (mut y, mut moments) = (vec![], vec![]);
    for x in x.chunks(width) {
        let mean_of = |f: &dyn Fn(f64) -> f64| x.iter().map(|&x| f(x)).sum::<f64>() / width as f64;
        let mean = if kernel.norm == Norm::LayerNorm { mean_of(&|x| x) } else { 0.0 };
        let r = (mean_of(&|x| (x - mean).powi(2)) + f64::from(1e-5f32)).powf(-0.5);
        y.extend((0..width).map(|c| (x[c] - mean) * r * weight[c] + bias[c]));
        moments.extend([mean, r]);
    }
    bound.set("y", y);
    bound.set("moments", moments);
}

fn norm_backward(kernel: &NormBackward, bound: &mut Bound) {
    let NormBackward { norm, bias, rows, width, accumulate, .. } = *kernel;
    let [dy, x, weight, moments, before] = ["dy", "x", "weight", "moments", "dx"].map(|name| bound.get(name));
    let share = NormBackward::share(bias, width);
    let mut shares = vec![0.0; NormBackward::groups(rows) * share];
    let mut dx = vec![0.0; rows * width];
    let n = width as f64;
    for row in 0..rows {
        let (mean, r) = (moments[2 * row], moments[2 * row + 1]);
        let normal = |c: usize| (x[row * width + c] - mean) * r;
        // dx through the whole Jacobian: ∂y_j/∂x_c = w_j r (δ_jc − [1/n] − x̂_j x̂_c / n), the bracket in LayerNorm only.
        for c in 0..width {
            let mut sum = 0.0;
            for j in 0..width {
                let own = if j == c { 1.0 } else { 0.0 };
                let through_mean = if norm == Norm::LayerNorm { 1.0 / n } else { 0.0 };
                let jacobian = weight[j] * r * (own - through_mean - normal(j) * normal(c) / n);
                sum += dy[row * width + j] * jacobian;
            }
            dx[row * width + c] = sum + if accumulate { before[row * width + c] } else { 0.0 };
            let at = row / 16 * share + c;
            shares[at] += dy[row * width + c] * normal(c);
            if bias {
                shares[at + share / 2] += dy[row * width + c];
            }
        }
    }
    bound.set("dx", dx);
    bound.set("shares", shares);
}

/// The slopes of ALiBi as its authors' code makes them: a geometric series, and for a number of heads that is no power
/// of two the series of the power below it, then every other slope of that above it.
fn alibi_slopes(heads: usize) -> Vec<f64> {
    if heads.is_power_of_two() {
        let ratio = 2f64.powf(-8.0 / heads as f64);
        return (1..=heads).map(|h| ratio.powi(h as i32)).collect();
    }
    let below = heads.next_power_of_two() / 2;
    let others = alibi_slopes(2 * below).into_iter().step_by(2);
    alibi_slopes(below).into_iter().chain(others).take(heads).collect()
}

/// What a score gains by the encoding.
fn bias(shape: AttentionShape, head: usize, i: usize, j: usize) -> f64 {
    if shape.position == Position::Alibi { alibi_slopes(shape.heads)[head] * (j as f64 - i as f64) } else { 0.0 }
}

/// Whether query i of a sequence sees key j: not what comes after it, and no other document.
fn sees(shape: AttentionShape, first_keys: Option<&[usize]>, batch: usize, i: usize, j: usize) -> bool {
    j <= i && first_keys.is_none_or(|first_keys| j >= first_keys[batch * shape.context + i])
}

fn first_keys(shape: AttentionShape, bound: &Bound) -> Option<Vec<usize>> {
    shape.documents.then(|| bound.ids("first_keys"))
}

/// The whole T × T matrix of softmax weights of one head, and the log-sum-exp of each row.
fn attention_weights(shape: AttentionShape, first_keys: Option<&[usize]>, qkv: &Qkv) -> (Vec<Vec<f64>>, Vec<f64>) {
    let scale = 1.0 / (shape.head_size as f64).sqrt();
    let rows = (0..shape.context).map(|i| {
        let product = |j: usize| (0..shape.head_size).map(|d| qkv.q(i, d) * qkv.k(j, d)).sum::<f64>();
        let score = |j: usize| product(j) * scale + bias(shape, qkv.head, i, j);
        let seen = |j: usize| sees(shape, first_keys, qkv.batch, i, j);
        let exponentials: Vec<f64> = (0..shape.context).map(|j| if seen(j) { score(j).exp() } else { 0.0 }).collect();
        let sum: f64 = exponentials.iter().sum();
        let weights = (0..shape.context).map(|j| exponentials[j] / sum);
        (weights.collect(), sum.ln())
    });
    rows.unzip()
}

/// One head of queries of one sequence in (B, T, (H + 2 KV) D), and the keys and values that it reads.
struct Qkv<'a> {
    data: &'a [f64],
    shape: AttentionShape,
    batch: usize,
    head: usize,
}

impl Qkv<'_> {
    fn index(&self, part: usize, t: usize, d: usize) -> usize {
        let AttentionShape { context, heads, kv_heads, head_size, .. } = self.shape;
        let shared = self.head / (heads / kv_heads);
        let head = [self.head, heads + shared, heads + kv_heads + shared][part];
        ((self.batch * context + t) * (heads + 2 * kv_heads) + head) * head_size + d
    }

    fn q(&self, t: usize, d: usize) -> f64 {
        self.data[self.index(0, t, d)]
    }

    fn k(&self, t: usize, d: usize) -> f64 {
        self.data[self.index(1, t, d)]
    }

    fn v(&self, t: usize, d: usize) -> f64 {
        self.data[self.index(2, t, d)]
    }

    /// In (B, T, C).
    fn out(&self, t: usize, d: usize) -> usize {
        (self.batch * self.shape.context + t) * self.shape.width() + self.head * self.shape.head_size + d
    }

    /// In (B, H, T).
    fn row(&self, t: usize) -> usize {
        (self.batch * self.shape.heads + self.head) * self.shape.context + t
    }
}

fn each_head(shape: AttentionShape, data: &[f64], mut body: impl FnMut(Qkv)) {
    for batch in 0..shape.batch {
        for head in 0..shape.heads {
            body(Qkv { data, shape, batch, head });
        }
    }
}

fn attention_forward(shape: AttentionShape, bound: &mut Bound) {
    let (qkv, first_keys) = (bound.get("qkv"), first_keys(shape, bound));
    let (mut out, mut log_sum) = (vec![0.0; shape.out_len()], vec![0.0; shape.rows_len()]);
    each_head(shape, &qkv, |head| {
        let (weights, sums) = attention_weights(shape, first_keys.as_deref(), &head);
        for i in 0..shape.context {
            log_sum[head.row(i)] = sums[i];
            for d in 0..shape.head_size {
                out[head.out(i, d)] = (0..shape.context).map(|j| weights[i][j] * head.v(j, d)).sum();
            }
        }
    });
    bound.set("out", out);
    bound.set("log_sum", log_sum);
}

fn stored_weights(shape: AttentionShape, bound: &mut Bound) {
    let mut all = vec![];
    each_head(shape, &bound.get("qkv"), |head| all.extend(attention_weights(shape, None, &head).0.concat()));
    bound.set("weights", all);
}

fn stored_mix(shape: AttentionShape, bound: &mut Bound) {
    let (weights, qkv, mut out) = (bound.get("weights"), bound.get("qkv"), vec![0.0; shape.out_len()]);
    each_head(shape, &qkv, |head| {
        for i in 0..shape.context {
            let weights = &weights[head.row(i) * shape.context..][..shape.context];
            for d in 0..shape.head_size {
                out[head.out(i, d)] = (0..shape.context).map(|j| weights[j] * head.v(j, d)).sum();
            }
        }
    });
    bound.set("out", out);
}

/// dS / √D and P of one head, from what the forward pass left behind.
fn score_gradients(
    shape: AttentionShape,
    first_keys: Option<&[usize]>,
    head: &Qkv,
    dout: &[f64],
    log_sum: &[f64],
    delta: impl Fn(usize) -> f64,
) -> [Vec<Vec<f64>>; 2] {
    let scale = 1.0 / (shape.head_size as f64).sqrt();
    let mut weights = vec![vec![0.0; shape.context]; shape.context];
    let mut dscores = weights.clone();
    for i in 0..shape.context {
        for j in (0..=i).filter(|&j| sees(shape, first_keys, head.batch, i, j)) {
            let product = (0..shape.head_size).map(|d| head.q(i, d) * head.k(j, d)).sum::<f64>();
            let score = product * scale + bias(shape, head.head, i, j);
            let dweight = (0..shape.head_size).map(|d| dout[head.out(i, d)] * head.v(j, d)).sum::<f64>();
            weights[i][j] = (score - log_sum[head.row(i)]).exp();
            dscores[i][j] = weights[i][j] * (dweight - delta(i)) * scale;
        }
    }
    [dscores, weights]
}

/// Row by row of the cache (T, 2 KV D), after the token's own k and v have joined it.
fn attention_decode(shape: AttentionShape, bound: &mut Bound, position: usize) {
    let (c, kv, d) = (shape.heads * shape.head_size, shape.kv_heads * shape.head_size, shape.head_size);
    let (qkv, mut cache) = (bound.get("qkv"), bound.get("cache"));
    for i in 0..2 * kv {
        cache[position * 2 * kv + i] = qkv[c + i];
    }
    let mut out = vec![0.0; c];
    for head in 0..shape.heads {
        let shared = head * shape.kv_heads / shape.heads * d;
        let score = |j: usize| {
            let product: f64 = (0..d).map(|i| qkv[head * d + i] * cache[j * 2 * kv + shared + i]).sum();
            (product / (d as f64).sqrt() + bias(shape, head, position, j)).exp()
        };
        let sum: f64 = (0..=position).map(score).sum();
        for i in 0..d {
            let value = |j: usize| cache[j * 2 * kv + kv + shared + i];
            out[head * d + i] = (0..=position).map(|j| score(j) / sum * value(j)).sum();
        }
    }
    bound.set("cache", cache);
    bound.set("out", out);
}

fn attention_backward_query(shape: AttentionShape, bound: &mut Bound) {
    let [qkv, dout, out, log_sum] = ["qkv", "dout", "out", "log_sum"].map(|name| bound.get(name));
    let (mut dqkv, mut delta) = (bound.get("dqkv"), vec![0.0; shape.rows_len()]);
    let first_keys = first_keys(shape, bound);
    each_head(shape, &qkv, |head| {
        let dot = |i: usize| (0..shape.head_size).map(|d| dout[head.out(i, d)] * out[head.out(i, d)]).sum::<f64>();
        let [dscores, _] = score_gradients(shape, first_keys.as_deref(), &head, &dout, &log_sum, dot);
        for i in 0..shape.context {
            delta[head.row(i)] = dot(i);
            for d in 0..shape.head_size {
                dqkv[head.index(0, i, d)] = (0..shape.context).map(|j| dscores[i][j] * head.k(j, d)).sum();
            }
        }
    });
    bound.set("dqkv", dqkv);
    bound.set("delta", delta);
}

fn attention_backward_key_value(shape: AttentionShape, bound: &mut Bound) {
    let [qkv, dout, log_sum, delta] = ["qkv", "dout", "log_sum", "delta"].map(|name| bound.get(name));
    let mut dqkv = bound.get("dqkv");
    let first_keys = first_keys(shape, bound);
    each_head(shape, &qkv, |head| {
        let [dscores, weights] =
            score_gradients(shape, first_keys.as_deref(), &head, &dout, &log_sum, |i| delta[head.row(i)]);
        let added = if head.head % (shape.heads / shape.kv_heads) == 0 { 0.0 } else { 1.0 };
        for j in 0..shape.context {
            for d in 0..shape.head_size {
                let over_queries = |f: &dyn Fn(usize) -> f64| (0..shape.context).map(f).sum::<f64>();
                let [dk, dv] = [1, 2].map(|part| head.index(part, j, d));
                dqkv[dk] = added * dqkv[dk] + over_queries(&|i| dscores[i][j] * head.q(i, d));
                dqkv[dv] = added * dqkv[dv] + over_queries(&|i| weights[i][j] * dout[head.out(i, d)]);
            }
        }
    });
    bound.set("dqkv", dqkv);
}

/// The matrix by which RoPE with base 10,000 turns a head's channels at a position.
fn turn(d: usize, position: usize) -> Vec<Vec<f64>> {
    let mut matrix = vec![vec![0.0; d]; d];
    for i in 0..d / 2 {
        let angle = position as f64 / 10_000f64.powf(2.0 * i as f64 / d as f64);
        matrix[i][i] = angle.cos();
        matrix[i][i + d / 2] = -angle.sin();
        matrix[i + d / 2][i] = angle.sin();
        matrix[i + d / 2][i + d / 2] = angle.cos();
    }
    matrix
}

/// The root mean square that QK-norm divides by.
fn root_mean_square(x: &[f64]) -> f64 {
    (x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64 + f64::from(1e-5f32)).sqrt()
}

/// Each head of queries and of keys: its number, its first element in (rows, (H + 2 KV) D), its token.
fn query_and_key_heads(shape: AttentionShape, tokens: usize) -> Vec<(usize, usize, usize)> {
    let both = shape.heads + shape.kv_heads;
    let head = |token: usize, head: usize| (head, (token * (both + shape.kv_heads) + head) * shape.head_size, token);
    (0..tokens).flat_map(|token| (0..both).map(move |h| head(token, h))).collect()
}

fn query_key(kernel: &QueryKey, bound: &mut Bound, position: usize) {
    let (shape, d) = (kernel.shape, kernel.shape.head_size);
    let mut qkv = bound.get("qkv");
    let mut raw = vec![];
    let tokens = if kernel.decode { 1 } else { shape.batch * shape.context };
    for (head, at, token) in query_and_key_heads(shape, tokens) {
        let mut x = qkv[at..at + d].to_vec();
        raw.extend(x.clone());
        if kernel.norm {
            let weight = bound.get(if head < shape.heads { "q_weight" } else { "k_weight" });
            let size = root_mean_square(&x);
            x = (0..d).map(|c| x[c] / size * weight[c]).collect();
        }
        if shape.position == Position::Rope {
            let matrix = turn(d, if kernel.decode { position } else { token % shape.context });
            x = (0..d).map(|row| (0..d).map(|c| matrix[row][c] * x[c]).sum()).collect();
        }
        qkv[at..at + d].copy_from_slice(&x);
    }
    bound.set("qkv", qkv);
    if kernel.keep {
        bound.set("raw", raw);
    }
}

fn query_key_backward(kernel: &QueryKeyBackward, bound: &mut Bound) {
    let (shape, d) = (kernel.shape, kernel.shape.head_size);
    let mut dqkv = bound.get("dqkv");
    let tokens = shape.batch * shape.context;
    let (groups, share) = (tokens.div_ceil(16), d.next_multiple_of(64));
    let mut shares = vec![0.0; 2 * groups * share];
    for (i, (head, at, token)) in query_and_key_heads(shape, tokens).into_iter().enumerate() {
        let mut dy = dqkv[at..at + d].to_vec();
        if shape.position == Position::Rope {
            let matrix = turn(d, token % shape.context);
            dy = (0..d).map(|c| (0..d).map(|row| matrix[row][c] * dy[row]).sum()).collect();
        }
        if kernel.norm {
            let (part, name) = if head < shape.heads { (0, "q_weight") } else { (1, "k_weight") };
            let (weight, x) = (bound.get(name), bound.get("raw")[i * d..][..d].to_vec());
            let size = root_mean_square(&x);
            let dw = &mut shares[(part * groups + token / 16) * share..];
            for c in 0..d {
                dw[c] += dy[c] * x[c] / size;
            }
            // Through the whole Jacobian, ∂y_j/∂x_c = w_j (δ_jc − x_j x_c / (n size²)) / size.
            let jacobian = |j: usize, c: usize| {
                let own = if j == c { 1.0 } else { 0.0 };
                weight[j] * (own - x[j] * x[c] / (d as f64 * size * size)) / size
            };
            dy = (0..d).map(|c| (0..d).map(|j| dy[j] * jacobian(j, c)).sum()).collect();
        }
        dqkv[at..at + d].copy_from_slice(&dy);
    }
    bound.set("dqkv", dqkv);
    if kernel.norm {
        bound.set("shares", shares);
    }
}

fn embed(kernel: &Embed, bound: &mut Bound, position: usize) {
    let shape = kernel.shape;
    let (tokens, width) = (bound.ids("tokens"), shape.width);
    let token = bound.get("token_embedding");
    let positions = get_if(bound, kernel.positions, "position_embedding", shape.context * width);
    let first_keys = if kernel.documents { bound.ids("first_keys") } else { vec![0; shape.rows()] };
    let mut x = vec![];
    for (b, row) in tokens.chunks(shape.context + 1).enumerate() {
        for t in 0..shape.context {
            let position = t - first_keys[b * shape.context + t];
            x.extend((0..width).map(|c| token[row[t] * width + c] + positions[position * width + c]));
        }
    }
    if kernel.decode {
        x = x[position * width..][..width].to_vec();
    }
    bound.set("x", x);
}

fn embed_backward(kernel: &EmbedBackward, bound: &mut Bound) {
    let shape = kernel.shape;
    let (starts, order, dx, width) = (bound.ids("starts"), bound.ids("order"), bound.get("dx"), shape.width);
    let mut dtoken = get_if(bound, kernel.accumulate_tokens, "dtoken", shape.vocabulary * width);
    let added = kernel.positions && kernel.accumulate_positions;
    let mut dposition = get_if(bound, added, "dposition", shape.context * width);
    let mut positions: Vec<usize> = (0..shape.rows()).map(|row| row % shape.context).collect();
    if kernel.documents {
        let (starts, order) = (bound.ids("position_starts"), bound.ids("position_order"));
        for position in 0..shape.context {
            order[starts[position]..starts[position + 1]].iter().for_each(|&row| positions[row] = position);
        }
    }
    for (place, &row) in order.iter().enumerate() {
        let token = (0..shape.vocabulary).find(|&v| (starts[v]..starts[v + 1]).contains(&place));
        let token = token.expect("every place belongs to a token");
        for c in 0..width {
            dtoken[token * width + c] += dx[row * width + c];
            dposition[positions[row] * width + c] += dx[row * width + c];
        }
    }
    bound.set("dtoken", dtoken);
    if kernel.positions {
        bound.set("dposition", dposition);
    }
}

fn cap_of(cap: SoftCap) -> f64 {
    f64::from(cap.0)
}

fn capped(cap: Option<SoftCap>, logits: &[f64]) -> Vec<f64> {
    logits.iter().map(|logit| cap.map_or(*logit, |cap| cap_of(cap) * (logit / cap_of(cap)).tanh())).collect()
}

fn cross_entropy(kernel: &CrossEntropy, bound: &mut Bound) {
    let (tokens, mut logits, vocabulary) = (bound.ids("tokens"), bound.get("logits"), kernel.vocabulary);
    // The last T of each row of (B, T+1).
    let targets: Vec<usize> = tokens.chunks(kernel.context + 1).flat_map(|row| row[1..].to_vec()).collect();
    let mut losses = get_if(bound, kernel.accumulate, "losses", kernel.rows);
    let weights = get_if(bound, kernel.weights, "weights", kernel.rows);
    let mut margins = vec![];
    let count = vocabulary as f64;
    for (row, logits) in logits.chunks_mut(vocabulary).enumerate() {
        let target = targets[kernel.first_row + row];
        let y = capped(kernel.soft_cap, logits);
        let z: f64 = y.iter().map(|y| y.exp()).sum();
        let weight = if kernel.weights { weights[row] } else { 1.0 };
        losses[row] -= weight * (y[target].exp() / z).ln();
        margins.push(y.iter().map(|other| other - y[target]).fold(0.0, f64::max));
        if let Some(scale) = kernel.gradient_scale {
            let scale = if kernel.weights { weight } else { f64::from(scale) };
            // ∂/∂y of the three terms one by one, then the cap's own slope, 1/cosh².
            for v in 0..vocabulary {
                let p = y[v].exp() / z;
                let one_hot = if v == target { 1.0 } else { 0.0 };
                let plain = (1.0 - kernel.label_smoothing) * (p - one_hot);
                let smoothed = kernel.label_smoothing * (p - 1.0 / count);
                let of_z = kernel.z_loss * 2.0 * z.ln() * p;
                let slope = kernel.soft_cap.map_or(1.0, |cap| (logits[v] / cap_of(cap)).cosh().powi(-2));
                logits[v] = (plain + smoothed + of_z) * slope * scale;
            }
        }
    }
    bound.set("logits", logits);
    bound.set("losses", losses);
    if kernel.margins {
        bound.set("margins", margins);
    }
}

fn finish_step(kernel: &FinishStep, bound: &mut Bound) {
    let (losses, partials, control) = (bound.get("losses"), bound.get("partials"), bound.get("control"));
    let count = if kernel.weighted { 1.0 } else { (losses.len() * kernel.micro_batches) as f64 };
    let loss = losses.iter().sum::<f64>() / count;
    let norm = partials.iter().sum::<f64>().sqrt();
    let bad = !loss.is_finite() || !norm.is_finite();
    let halted = if bad { 1.0 } else { control[1] };
    let clip = kernel.clip_norm.map_or(f64::INFINITY, f64::from);
    let scale = if norm > clip { clip / norm } else { 1.0 };
    bound.set("control", vec![scale, halted, control[2], control[3]]);
    bound.set("metrics", vec![loss, norm, halted, 0.0]);
}

fn update(kernel: &Update, bound: &mut Bound, step: &Step) {
    let [control, gradients, mut parameters] = ["control", "gradients", "parameters"].map(|name| bound.get(name));
    if control[1] != 0.0 {
        return;
    }
    let o = &kernel.settings;
    let names = bound.names[3..].to_vec();
    let mut state: Vec<Vec<f64>> = names.iter().map(|name| bound.get(name)).collect();
    let [rate, correction1, correction2] = [step.learning_rate, step.correction1, step.correction2].map(f64::from);
    for i in 0..kernel.len {
        let p = parameters[i];
        let decay = if i < kernel.decayed { o.weight_decay * p } else { 0.0 };
        let g = gradients[i] * control[0];
        let mut mean = |which: usize, beta: f64, x: f64| {
            state[which][i] = beta * state[which][i] + (1.0 - beta) * x;
            state[which][i]
        };
        parameters[i] = match o.kind {
            OptimizerKind::Adam => {
                let g = g + decay;
                let (m, v) = (mean(0, o.beta1, g), mean(1, o.beta2, g.powi(2)));
                p - rate * (m / correction1) / ((v / correction2).sqrt() + o.epsilon)
            }
            OptimizerKind::Adamw => {
                let (m, v) = (mean(0, o.beta1, g), mean(1, o.beta2, g.powi(2)));
                p - rate * (m / correction1 / ((v / correction2).sqrt() + o.epsilon) + decay)
            }
            OptimizerKind::Lion => {
                let c = o.beta1 * state[0][i] + (1.0 - o.beta1) * g;
                state[0][i] = o.beta2 * state[0][i] + (1.0 - o.beta2) * g;
                let sign = if c == 0.0 { 0.0 } else { c.signum() };
                p - rate * (sign + decay)
            }
            OptimizerKind::Sophia => {
                let m = mean(0, o.beta1, g);
                let clipped = (m.abs() / (o.rho * kernel.tokens as f64 * state[1][i] + 1e-15)).min(1.0);
                p - rate * (m.signum() * clipped + decay)
            }
            OptimizerKind::Sgd => {
                let g = g + decay;
                let mut ahead = g;
                if o.momentum > 0.0 {
                    state[0][i] = o.momentum * state[0][i] + g;
                    ahead = if o.nesterov { g + o.momentum * state[0][i] } else { state[0][i] };
                }
                p - rate * ahead
            }
            other => panic!("{other:?} is no elementwise rule"),
        };
    }
    bound.set("parameters", parameters);
    for (name, state) in names.iter().zip(state) {
        bound.set(name, state);
    }
}

/// The 256 values of the dynamic code, as the authors describe how to make them: for each exponent the means of
/// neighbours among evenly spaced boundaries of [0.1, 1], with twice as many boundaries at the next exponent; 0 and 1.
pub fn dynamic_code(signed: bool) -> Vec<f64> {
    let mut values = vec![0.0, 1.0];
    for exponent in 0..7 {
        let parts = 2usize.pow(exponent) * if signed { 1 } else { 2 };
        let boundaries: Vec<f64> = (0..=parts).map(|i| 0.1 + 0.9 * i as f64 / parts as f64).collect();
        for pair in boundaries.windows(2) {
            let value = 10f64.powi(exponent as i32 - 6) * (pair[0] + pair[1]) / 2.0;
            values.push(value);
            if signed {
                values.push(-value);
            }
        }
    }
    values.sort_by(f64::total_cmp);
    values
}

fn adamw_8bit(kernel: &AdamW8bit, bound: &mut Bound, step: &Step) {
    let [control, gradients, mut parameters] = ["control", "gradients", "parameters"].map(|name| bound.get(name));
    if control[1] != 0.0 {
        return;
    }
    let o = &kernel.settings;
    let [rate, correction1, correction2] = [step.learning_rate, step.correction1, step.correction2].map(f64::from);
    let mut means = vec![];
    for (name, beta, power) in [("m", o.beta1, 1), ("v", o.beta2, 2)] {
        let values = dynamic_code(name == "m");
        let (words, scales) = (bound.ids(name), bound.get(&format!("{name}_scale")));
        let mut mean = vec![];
        for i in 0..kernel.len {
            let code = words[i / 4] / 256usize.pow(i as u32 % 4) % 256;
            let g = gradients[i] * control[0];
            mean.push(beta * values[code] * scales[i / 256] + (1.0 - beta) * g.powi(power));
        }
        let (mut words, mut scales) = (vec![0u32; words.len()], scales);
        for (block, numbers) in mean.chunks(256).enumerate() {
            scales[block] = numbers.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
            for (i, x) in numbers.iter().enumerate() {
                let x = if scales[block] > 0.0 { x / scales[block] } else { 0.0 };
                // Upwards, so that of two that are as near the upper is found last.
                let mut nearest = 0;
                for code in 1..256 {
                    if (values[code] - x).abs() <= (values[nearest] - x).abs() {
                        nearest = code;
                    }
                }
                if name == "v" && nearest == 0 && x > 0.0 {
                    nearest = 1;
                }
                let at = block * 256 + i;
                words[at / 4] += nearest as u32 * 256u32.pow(at as u32 % 4);
            }
        }
        let at = bound.at(name);
        bound.values[at] = Values::Ids(words);
        bound.set(&format!("{name}_scale"), scales);
        means.push(mean);
    }
    for i in 0..kernel.len {
        let decay = if kernel.decays { o.weight_decay * parameters[i] } else { 0.0 };
        let direction = means[0][i] / correction1 / ((means[1][i] / correction2).sqrt() + o.epsilon);
        parameters[i] -= rate * (direction + decay);
    }
    bound.set("parameters", parameters);
}

fn draw_labels(kernel: &DrawLabels, bound: &mut Bound, step: &Step) {
    let logits = capped(kernel.soft_cap, &bound.get("logits"));
    let at = bound.at("labels");
    let Values::Ids(labels) = &mut bound.values[at] else { panic!("labels are ids") };
    let mix = |x: u32| {
        let x = u64::from(x ^ (x >> 16)) * 0x7feb_352d % (1 << 32);
        let x = (x ^ (x >> 15)) * 0x846c_a68b % (1 << 32);
        (x ^ (x >> 16)) as u32
    };
    let scramble = |x: u32, y: u32| mix(((u64::from(mix(x)) + u64::from(y)) % (1 << 32)) as u32);
    for row in 0..kernel.rows {
        let place = row + kernel.first_row;
        let noisy = |v: usize| {
            let bits = scramble(scramble(step.seed, place as u32 + step.first_row), v as u32);
            let w = (f64::from(bits / 512) + 0.5) / 8_388_608.0;
            logits[row * kernel.vocabulary + v] - (-(1.0 - w).ln()).ln()
        };
        let label = (0..kernel.vocabulary).max_by(|&a, &b| noisy(a).total_cmp(&noisy(b))).expect("there are tokens");
        labels[place / kernel.context * (kernel.context + 1) + place % kernel.context + 1] = label as u32;
    }
}

fn adafactor_sums(bound: &mut Bound, step: &Step, name: &str, place: impl Fn(usize) -> usize) {
    let [control, gradients, mut sums] = ["control", "gradients", name].map(|name| bound.get(name));
    if control[1] != 0.0 {
        return;
    }
    let rest = f64::from(step.correction2);
    sums.iter_mut().for_each(|sum| *sum *= 1.0 - rest);
    for (i, g) in gradients.iter().enumerate() {
        sums[place(i)] += rest * ((g * control[0]).powi(2) + 1e-30);
    }
    bound.set(name, sums);
}

/// V, element by element.
fn adafactor_second_moment(moment: Moment, bound: &Bound) -> Vec<f64> {
    match moment {
        Moment::Whole { .. } => bound.get("v"),
        Moment::Factored { rows, columns } => {
            let (row, column) = (bound.get("row"), bound.get("column"));
            let total: f64 = row.iter().sum();
            (0..rows * columns).map(|i| row[i / columns] * column[i % columns] / total).collect()
        }
    }
}

fn adafactor_measure(moment: Moment, bound: &mut Bound, step: &Step) {
    let [control, gradients, parameters] = ["control", "gradients", "parameters"].map(|name| bound.get(name));
    if control[1] != 0.0 {
        return;
    }
    if let Moment::Whole { .. } = moment {
        let rest = f64::from(step.correction2);
        let v = bound.get("v").into_iter().zip(&gradients);
        let v = v.map(|(v, g)| (1.0 - rest) * v + rest * ((g * control[0]).powi(2) + 1e-30));
        bound.set("v", v.collect());
    }
    let v = adafactor_second_moment(moment, bound);
    let mut partials = vec![0.0; bound.get("partials").len()];
    for i in 0..gradients.len() {
        partials[i / 4096 * 2] += (gradients[i] * control[0]).powi(2) / v[i];
        partials[i / 4096 * 2 + 1] += parameters[i].powi(2);
    }
    bound.set("partials", partials);
}

fn adafactor_apply(kernel: &AdafactorApply, bound: &mut Bound, step: &Step) {
    let [control, gradients, mut parameters] = ["control", "gradients", "parameters"].map(|name| bound.get(name));
    if control[1] != 0.0 {
        return;
    }
    let (v, partials) = (adafactor_second_moment(kernel.moment, bound), bound.get("partials"));
    let mut squares = [0.0; 2];
    for (i, partial) in partials.iter().enumerate() {
        squares[i % 2] += partial;
    }
    let [u, p] = squares.map(|squares: f64| (squares / gradients.len() as f64).sqrt());
    let size = p.max(1e-3) / u.max(1.0);
    for i in 0..gradients.len() {
        let direction = size * gradients[i] * control[0] / v[i].sqrt();
        parameters[i] -= f64::from(step.learning_rate) * (direction + kernel.weight_decay * parameters[i]);
    }
    bound.set("parameters", parameters);
}

fn muon_momentum(kernel: &MuonMomentum, bound: &mut Bound) {
    let [control, gradients, mut momentum] = ["control", "gradients", "momentum"].map(|name| bound.get(name));
    if control[1] != 0.0 {
        return;
    }
    let (Part { first, len, .. }, mu) = (kernel.part, kernel.momentum);
    let mut u = vec![];
    for i in first..first + len {
        let g = gradients[i] * control[0];
        momentum[i] = mu * momentum[i] + (1.0 - mu) * g;
        u.push(if kernel.nesterov { mu * momentum[i] + (1.0 - mu) * g } else { momentum[i] });
    }
    bound.set("partials", u.chunks(4096).map(|chunk| chunk.iter().map(|u| u * u).sum()).collect());
    bound.set("momentum", momentum);
    bound.set("u", u);
}

fn muon_apply(kernel: &MuonApply, bound: &mut Bound, step: &Step) {
    let [control, x, mut parameters] = ["control", "x", "parameters"].map(|name| bound.get(name));
    if control[1] != 0.0 {
        return;
    }
    for (i, x) in x.iter().enumerate() {
        let p = &mut parameters[kernel.part.first + i];
        *p -= f64::from(step.learning_rate) * (kernel.scale * x + kernel.weight_decay * *p);
    }
    bound.set("parameters", parameters);
}

/// Sorts everything, whatever is asked.
fn pick(kernel: &Pick, bound: &mut Bound, step: &Step) {
    let logits = capped(kernel.soft_cap, &bound.get("logits"));
    bound.set("logits", logits.clone());
    let position = step.position as usize;
    let softmax = |temperature: f64| {
        let total: f64 = logits.iter().map(|logit| (logit / temperature).exp()).sum();
        logits.iter().map(|logit| (logit / temperature).exp() / total).collect::<Vec<f64>>()
    };
    let mut order: Vec<usize> = (0..logits.len()).collect();
    // Stable: equal ones stay in the order of the vocabulary.
    order.sort_by(|&a, &b| logits[b].partial_cmp(&logits[a]).expect("numbers"));

    let mut kept = vec![order[0]];
    if step.temperature > 0.0 {
        let weights = softmax(f64::from(step.temperature));
        let sum = |ids: &[usize]| ids.iter().map(|&id| weights[id]).sum::<f64>();
        kept = order.clone();
        if step.top_k > 0 {
            kept.truncate(step.top_k as usize);
        }
        if step.top_p < 1.0 {
            let goal = sum(&kept) * f64::from(step.top_p);
            let len = (1..=kept.len()).find(|&len| sum(&kept[..len]) >= goal).expect("all of it is enough");
            kept.truncate(len);
        }
        kept.sort_unstable();
        let goal = sum(&kept) * f64::from(step.draw);
        kept = vec![kept[(0..kept.len()).find(|&i| sum(&kept[..=i]) > goal).expect("a draw is below 1")]];
    }
    let token = kept[0];
    let model = softmax(1.0);
    let columns = order.len().min(5);

    let [tokens_at, candidates_at, probabilities_at] = ["tokens", "candidates", "probabilities"].map(|n| bound.at(n));
    let Values::Ids(tokens) = &mut bound.values[tokens_at] else { panic!("tokens are ids") };
    tokens[position + 1] = token as u32;
    let Values::Ids(candidates) = &mut bound.values[candidates_at] else { panic!("candidates are ids") };
    for (i, &id) in order[..columns].iter().enumerate() {
        candidates[position * columns + i] = id as u32;
    }
    let Values::Numbers(row) = &mut bound.values[probabilities_at] else { panic!("probabilities are numbers") };
    let row = &mut row[position * (1 + columns)..];
    row[0] = model[token];
    for (i, &id) in order[..columns].iter().enumerate() {
        row[1 + i] = model[id];
    }
}
