//! What each kernel computes, once more: by the plainest loops that say it, in f64, with neither the library that the
//! twins lean on nor their tricks. The match is exhaustive: a kernel is not done before it is written here.

// Loops over indices are what the formulas look like.
#![allow(clippy::needless_range_loop)]

use trainlab::config::{Activation, Norm};
use trainlab::kernels::adamw::AdamW;
use trainlab::kernels::attention::AttentionShape;
use trainlab::kernels::cross_entropy::CrossEntropy;
use trainlab::kernels::dropout::Mask;
use trainlab::kernels::embedding::{Embed, EmbedBackward, EmbedShape};
use trainlab::kernels::finish_step::FinishStep;
use trainlab::kernels::matmul::{ActivationEnd, Layout, MatMul};
use trainlab::kernels::norm::{NormBackward, NormForward};
use trainlab::kernels::pick::Pick;
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
        Kernel::AdamW(kernel) => adamw(kernel, bound, step),
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

/// The whole T × T matrix of softmax weights of one head, and the log-sum-exp of each row.
fn attention_weights(shape: AttentionShape, qkv: &Qkv) -> (Vec<Vec<f64>>, Vec<f64>) {
    let scale = 1.0 / (shape.head_size as f64).sqrt();
    let rows = (0..shape.context).map(|i| {
        let score = |j: usize| (0..shape.head_size).map(|d| qkv.q(i, d) * qkv.k(j, d)).sum::<f64>() * scale;
        let exponentials: Vec<f64> = (0..=i).map(|j| score(j).exp()).collect();
        let sum: f64 = exponentials.iter().sum();
        let weights = (0..shape.context).map(|j| if j <= i { exponentials[j] / sum } else { 0.0 });
        (weights.collect(), sum.ln())
    });
    rows.unzip()
}

/// One head of one sequence in (B, T, 3C).
struct Qkv<'a> {
    data: &'a [f64],
    shape: AttentionShape,
    batch: usize,
    head: usize,
}

impl Qkv<'_> {
    fn index(&self, part: usize, t: usize, d: usize) -> usize {
        let token = self.batch * self.shape.context + t;
        (token * 3 + part) * self.shape.width() + self.head * self.shape.head_size + d
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
    let qkv = bound.get("qkv");
    let (mut out, mut log_sum) = (vec![0.0; shape.out_len()], vec![0.0; shape.rows_len()]);
    each_head(shape, &qkv, |head| {
        let (weights, sums) = attention_weights(shape, &head);
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

/// dS / √D and P of one head, from what the forward pass left behind.
fn score_gradients(
    shape: AttentionShape,
    head: &Qkv,
    dout: &[f64],
    log_sum: &[f64],
    delta: impl Fn(usize) -> f64,
) -> [Vec<Vec<f64>>; 2] {
    let scale = 1.0 / (shape.head_size as f64).sqrt();
    let mut weights = vec![vec![0.0; shape.context]; shape.context];
    let mut dscores = weights.clone();
    for i in 0..shape.context {
        for j in 0..=i {
            let score = (0..shape.head_size).map(|d| head.q(i, d) * head.k(j, d)).sum::<f64>() * scale;
            let dweight = (0..shape.head_size).map(|d| dout[head.out(i, d)] * head.v(j, d)).sum::<f64>();
            weights[i][j] = (score - log_sum[head.row(i)]).exp();
            dscores[i][j] = weights[i][j] * (dweight - delta(i)) * scale;
        }
    }
    [dscores, weights]
}

/// Row by row of the cache (T, 2C), after the token's own k and v have joined it.
fn attention_decode(shape: AttentionShape, bound: &mut Bound, position: usize) {
    let (c, d) = (shape.heads * shape.head_size, shape.head_size);
    let (qkv, mut cache) = (bound.get("qkv"), bound.get("cache"));
    for i in 0..2 * c {
        cache[position * 2 * c + i] = qkv[c + i];
    }
    let mut out = vec![0.0; c];
    for head in 0..shape.heads {
        let score = |j: usize| {
            let product: f64 = (0..d).map(|i| qkv[head * d + i] * cache[j * 2 * c + head * d + i]).sum();
            (product / (d as f64).sqrt()).exp()
        };
        let sum: f64 = (0..=position).map(score).sum();
        for i in 0..d {
            let value = |j: usize| cache[j * 2 * c + c + head * d + i];
            out[head * d + i] = (0..=position).map(|j| score(j) / sum * value(j)).sum();
        }
    }
    bound.set("cache", cache);
    bound.set("out", out);
}

fn attention_backward_query(shape: AttentionShape, bound: &mut Bound) {
    let [qkv, dout, out, log_sum] = ["qkv", "dout", "out", "log_sum"].map(|name| bound.get(name));
    let (mut dqkv, mut delta) = (bound.get("dqkv"), vec![0.0; shape.rows_len()]);
    each_head(shape, &qkv, |head| {
        let dot = |i: usize| (0..shape.head_size).map(|d| dout[head.out(i, d)] * out[head.out(i, d)]).sum::<f64>();
        let [dscores, _] = score_gradients(shape, &head, &dout, &log_sum, dot);
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
    each_head(shape, &qkv, |head| {
        let [dscores, weights] = score_gradients(shape, &head, &dout, &log_sum, |i| delta[head.row(i)]);
        for j in 0..shape.context {
            for d in 0..shape.head_size {
                let over_queries = |f: &dyn Fn(usize) -> f64| (0..shape.context).map(f).sum();
                dqkv[head.index(1, j, d)] = over_queries(&|i| dscores[i][j] * head.q(i, d));
                dqkv[head.index(2, j, d)] = over_queries(&|i| weights[i][j] * dout[head.out(i, d)]);
            }
        }
    });
    bound.set("dqkv", dqkv);
}

fn embed(kernel: &Embed, bound: &mut Bound, position: usize) {
    let shape = kernel.shape;
    let (tokens, width) = (bound.ids("tokens"), shape.width);
    let (token, positions) = (bound.get("token_embedding"), bound.get("position_embedding"));
    let mut x = vec![];
    for row in tokens.chunks(shape.context + 1) {
        for t in 0..shape.context {
            x.extend((0..width).map(|c| token[row[t] * width + c] + positions[t * width + c]));
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
    let mut dposition = get_if(bound, kernel.accumulate_positions, "dposition", shape.context * width);
    for (place, &row) in order.iter().enumerate() {
        let token = (0..shape.vocabulary).find(|&v| (starts[v]..starts[v + 1]).contains(&place));
        let token = token.expect("every place belongs to a token");
        for c in 0..width {
            dtoken[token * width + c] += dx[row * width + c];
            dposition[row % shape.context * width + c] += dx[row * width + c];
        }
    }
    bound.set("dtoken", dtoken);
    bound.set("dposition", dposition);
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
    let count = vocabulary as f64;
    for (row, logits) in logits.chunks_mut(vocabulary).enumerate() {
        let target = targets[kernel.first_row + row];
        let y = capped(kernel.soft_cap, logits);
        let z: f64 = y.iter().map(|y| y.exp()).sum();
        losses[row] -= (y[target].exp() / z).ln();
        if let Some(scale) = kernel.gradient_scale {
            // ∂/∂y of the three terms one by one, then the cap's own slope, 1/cosh².
            for v in 0..vocabulary {
                let p = y[v].exp() / z;
                let one_hot = if v == target { 1.0 } else { 0.0 };
                let plain = (1.0 - kernel.label_smoothing) * (p - one_hot);
                let smoothed = kernel.label_smoothing * (p - 1.0 / count);
                let of_z = kernel.z_loss * 2.0 * z.ln() * p;
                let slope = kernel.soft_cap.map_or(1.0, |cap| (logits[v] / cap_of(cap)).cosh().powi(-2));
                logits[v] = (plain + smoothed + of_z) * slope * f64::from(scale);
            }
        }
    }
    bound.set("logits", logits);
    bound.set("losses", losses);
}

fn finish_step(kernel: &FinishStep, bound: &mut Bound) {
    let (losses, partials, control) = (bound.get("losses"), bound.get("partials"), bound.get("control"));
    let loss = losses.iter().sum::<f64>() / (losses.len() * kernel.micro_batches) as f64;
    let norm = partials.iter().sum::<f64>().sqrt();
    let bad = !loss.is_finite() || !norm.is_finite();
    let halted = if bad { 1.0 } else { control[1] };
    let clip = kernel.clip_norm.map_or(f64::INFINITY, f64::from);
    let scale = if norm > clip { clip / norm } else { 1.0 };
    bound.set("control", vec![scale, halted, control[2], control[3]]);
    bound.set("metrics", vec![loss, norm, halted, 0.0]);
}

fn adamw(kernel: &AdamW, bound: &mut Bound, step: &Step) {
    let [control, gradients, mut parameters, mut m, mut v] =
        ["control", "gradients", "parameters", "m", "v"].map(|name| bound.get(name));
    if control[1] != 0.0 {
        return;
    }
    let [beta1, beta2, epsilon, weight_decay] = [kernel.beta1, kernel.beta2, kernel.epsilon, kernel.weight_decay];
    let [rate, correction1, correction2] = [step.learning_rate, step.correction1, step.correction2].map(f64::from);
    for i in 0..kernel.len {
        let gradient = gradients[i] * control[0];
        m[i] = beta1 * m[i] + (1.0 - beta1) * gradient;
        v[i] = beta2 * v[i] + (1.0 - beta2) * gradient.powi(2);
        let decay = if i < kernel.decayed { weight_decay * parameters[i] } else { 0.0 };
        parameters[i] -= rate * (m[i] / correction1 / ((v[i] / correction2).sqrt() + epsilon) + decay);
    }
    bound.set("parameters", parameters);
    bound.set("m", m);
    bound.set("v", v);
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
