//! Causal multi-head attention, forward and backward, that never stores the T × T matrix
//! (Dao et al. 2022, arXiv 2205.14135: online softmax, log-sum-exp kept for the backward pass).
//!
//! With S = Q Kᵀ / √D, P = softmax over the keys j ≤ i, O = P V:
//! dV = Pᵀ dO,  dP = dO Vᵀ,  δ_i = Σ_d dO_id O_id,  dS = P (dP − δ) / √D,  dQ = dS K,  dK = dSᵀ Q.
//!
//! Two backward kernels, one that owns a query row and one that owns a key row, so that no sum needs atomics.

use super::{Args, Binding, Spec, Step};
use crate::gpu::shader::Shader;
use crate::real::{MatMulShape, Real, Strided, StridedMut, max_of, sum_of, wide};

/// The shapes that the three kernels share.
#[derive(Clone, Copy, Debug)]
pub struct AttentionShape {
    pub batch: usize,
    /// T, the length of each sequence.
    pub context: usize,
    pub heads: usize,
    /// D, a multiple of 4.
    pub head_size: usize,
    /// Neighbouring rows that an invocation of a shader owns; changes no bit of the result.
    pub rows_each: usize,
}

/// Query rows that a twin handles at a time: the largest matrix it ever holds is (TILE, T).
const TILE: usize = 64;

impl AttentionShape {
    pub fn new(batch: usize, context: usize, heads: usize, head_size: usize) -> Self {
        Self { batch, context, heads, head_size, rows_each: 1 }
    }

    /// Loads dominate on software adapters: rows of an invocation share them. On hardware it would take registers
    /// that keep more invocations at work.
    pub fn rows_for(self, software: bool) -> usize {
        match self.head_size {
            _ if !software => 1,
            ..=32 => 4,
            33..=64 => 2,
            // Compilers take too long over what is unrolled.
            _ => 1,
        }
    }

    pub fn width(self) -> usize {
        self.heads * self.head_size
    }

    fn tokens(self) -> usize {
        self.batch * self.context
    }

    /// Length of (B, T, 3C): q, k, v of each token.
    pub fn qkv_len(self) -> usize {
        self.tokens() * 3 * self.width()
    }

    /// Length of (B, T, C).
    pub fn out_len(self) -> usize {
        self.tokens() * self.width()
    }

    /// Length of (B, H, T): one number a query row.
    pub fn rows_len(self) -> usize {
        self.tokens() * self.heads
    }

    pub(super) fn scale(self) -> f64 {
        1.0 / (self.head_size as f64).sqrt()
    }

    /// Multiply-adds counted as two, of `products` products of (T, T, D), half of each skipped by causality.
    fn flops(self, products: u64) -> u64 {
        products * self.rows_len() as u64 * self.context as u64 * self.head_size as u64
    }

    /// So many matrices of (TILE, T), and what the largest product that makes or takes one copies.
    fn workspace(self, matrices: usize) -> usize {
        let (rows, keys, d) = (TILE, self.context, self.head_size);
        let products = [[rows, d, keys], [rows, keys, d], [keys, rows, d]];
        let panels = products.map(|[rows, inner, columns]| MatMulShape { rows, inner, columns }.panels());
        matrices * TILE * self.context + panels.into_iter().max().expect("three products")
    }

    fn shader(self, name: &'static str, bindings: Vec<Binding>, part: &'static str) -> Shader {
        let keys_at_a_time = 4;
        // Of one head of one sequence.
        let groups = self.context.div_ceil(self.rows_each);
        let invocations = self.batch * self.heads * groups;
        Shader::new(name, bindings)
            .count("CONTEXT", self.context)
            .count("HEADS", self.heads)
            .count("EACH", self.rows_each)
            .count("GROUPS", groups)
            .count("INVOCATIONS", invocations)
            .count("WIDTH4", self.width() / 4)
            .count("HEAD4", self.head_size / 4)
            .count("KEYS", keys_at_a_time)
            .number("SCALE", self.scale() as f32)
            .part(include_str!("../../shaders/attention/layout.wgsl"))
            .part(part)
            .invocations(invocations)
    }

    /// Calls `body` for each head of each sequence with the offsets of its first element in (B, T, 3C), (B, T, C)
    /// and (B, H, T).
    fn for_each_head(self, mut body: impl FnMut(usize, usize, usize)) {
        for b in 0..self.batch {
            for h in 0..self.heads {
                let qkv = b * self.context * 3 * self.width() + h * self.head_size;
                let out = b * self.context * self.width() + h * self.head_size;
                body(qkv, out, (b * self.heads + h) * self.context);
            }
        }
    }

    /// (first query row, rows, keys that the last of them sees) of each tile.
    fn tiles(self) -> impl Iterator<Item = (usize, usize, usize)> {
        (0..self.context).step_by(TILE).map(move |first| {
            let rows = TILE.min(self.context - first);
            (first, rows, first + rows)
        })
    }
}

/// O (B, T, C) and the log-sum-exp of each row of scores (B, H, T) from qkv (B, T, 3C).
#[derive(Clone, Debug)]
pub struct AttentionForward(pub AttentionShape);

impl Spec for AttentionForward {
    fn bindings(&self) -> Vec<Binding> {
        let shape = self.0;
        vec![
            Binding::read("qkv", shape.qkv_len()).vec4(),
            Binding::write("out", shape.out_len()).vec4(),
            Binding::write("log_sum", shape.rows_len()),
        ]
    }

    fn shader(&self) -> Shader {
        self.0.shader("attention_forward", self.bindings(), include_str!("../../shaders/attention/forward.wgsl"))
    }

    fn run<R: Real>(&self, args: Args<R>, _: &Step) {
        let shape = self.0;
        let (c, d) = (shape.width(), shape.head_size);
        let [qkv, out, log_sum] = args.take();
        let (qkv, out, log_sum) = (qkv.read(), out.write(), log_sum.write());
        let mut scores = vec![R::ZERO; TILE * shape.context];
        let scale = R::of(shape.scale());
        shape.for_each_head(|qkv_at, out_at, row_at| {
            let [q, k, v] = [0, c, 2 * c].map(|part| &qkv[qkv_at + part..]);
            for (first, rows, keys) in shape.tiles() {
                score(&mut scores, &q[first * 3 * c..], k, [rows, keys, d], 3 * c);
                for (i, row) in scores[..rows * keys].chunks_exact_mut(keys).enumerate() {
                    let (seen, unseen) = row.split_at_mut(first + i + 1);
                    log_sum[row_at + first + i] = wide(|| softmax(seen, scale));
                    unseen.fill(R::ZERO);
                }
                R::matmul(
                    MatMulShape { rows, inner: keys, columns: d },
                    Strided { data: &scores, row: keys, column: 1 },
                    Strided { data: v, row: 3 * c, column: 1 },
                    StridedMut { data: &mut out[out_at + first * c..], row: c, column: 1 },
                    false,
                );
            }
        });
    }

    fn flops(&self) -> u64 {
        self.0.flops(2)
    }

    fn workspace(&self) -> usize {
        self.0.workspace(1)
    }
}

/// dQ into its part of dqkv, and δ (B, H, T) for the other backward kernel.
#[derive(Clone, Debug)]
pub struct AttentionBackwardQuery(pub AttentionShape);

impl Spec for AttentionBackwardQuery {
    fn bindings(&self) -> Vec<Binding> {
        let shape = self.0;
        vec![
            Binding::read("dout", shape.out_len()).vec4(),
            Binding::read("qkv", shape.qkv_len()).vec4(),
            Binding::read("out", shape.out_len()).vec4(),
            Binding::read("log_sum", shape.rows_len()),
            Binding::write("dqkv", shape.qkv_len()).vec4(),
            Binding::write("delta", shape.rows_len()),
        ]
    }

    fn shader(&self) -> Shader {
        let part = include_str!("../../shaders/attention/backward_query.wgsl");
        self.0.shader("attention_backward_query", self.bindings(), part)
    }

    fn run<R: Real>(&self, args: Args<R>, _: &Step) {
        let shape = self.0;
        let (c, d) = (shape.width(), shape.head_size);
        let [dout, qkv, out, log_sum, dqkv, delta] = args.take();
        let (dout, qkv, out, log_sum) = (dout.read(), qkv.read(), out.read(), log_sum.read());
        let (dqkv, delta) = (dqkv.write(), delta.write());
        let mut work = Backward::new(shape);
        shape.for_each_head(|qkv_at, out_at, row_at| {
            for i in 0..shape.context {
                let at = out_at + i * c;
                delta[row_at + i] = dout[at..at + d].iter().zip(&out[at..at + d]).map(|(&a, &b)| a * b).sum();
            }
            for (first, rows, keys) in shape.tiles() {
                let head = Head { qkv: &qkv[qkv_at..], dout: &dout[out_at..], row: row_at };
                work.score_gradients(&head, log_sum, delta, first, rows, keys);
                R::matmul(
                    MatMulShape { rows, inner: keys, columns: d },
                    Strided { data: &work.dscores, row: keys, column: 1 },
                    Strided { data: &qkv[qkv_at + c..], row: 3 * c, column: 1 },
                    StridedMut { data: &mut dqkv[qkv_at + first * 3 * c..], row: 3 * c, column: 1 },
                    false,
                );
            }
        });
    }

    fn flops(&self) -> u64 {
        self.0.flops(3)
    }

    fn workspace(&self) -> usize {
        self.0.workspace(2)
    }
}

/// dK and dV into their parts of dqkv.
#[derive(Clone, Debug)]
pub struct AttentionBackwardKeyValue(pub AttentionShape);

impl Spec for AttentionBackwardKeyValue {
    fn bindings(&self) -> Vec<Binding> {
        let shape = self.0;
        vec![
            Binding::read("dout", shape.out_len()).vec4(),
            Binding::read("qkv", shape.qkv_len()).vec4(),
            Binding::read("log_sum", shape.rows_len()),
            Binding::read("delta", shape.rows_len()),
            Binding::update("dqkv", shape.qkv_len()).vec4(),
        ]
    }

    fn shader(&self) -> Shader {
        let part = include_str!("../../shaders/attention/backward_key_value.wgsl");
        self.0.shader("attention_backward_key_value", self.bindings(), part)
    }

    fn run<R: Real>(&self, args: Args<R>, _: &Step) {
        let shape = self.0;
        let (c, d) = (shape.width(), shape.head_size);
        let [dout, qkv, log_sum, delta, dqkv] = args.take();
        let (dout, qkv, log_sum, delta) = (dout.read(), qkv.read(), log_sum.read(), delta.read());
        let dqkv = dqkv.write();
        let mut work = Backward::new(shape);
        shape.for_each_head(|qkv_at, out_at, row_at| {
            // The last tile sees all keys: going backwards, it writes what the others add to.
            for (first, rows, keys) in shape.tiles().collect::<Vec<_>>().into_iter().rev() {
                let head = Head { qkv: &qkv[qkv_at..], dout: &dout[out_at..], row: row_at };
                work.score_gradients(&head, log_sum, delta, first, rows, keys);
                let accumulate = keys < shape.context;
                let shape = MatMulShape { rows: keys, inner: rows, columns: d };
                R::matmul(
                    shape,
                    Strided { data: &work.dscores, row: 1, column: keys },
                    Strided { data: &qkv[qkv_at + first * 3 * c..], row: 3 * c, column: 1 },
                    StridedMut { data: &mut dqkv[qkv_at + c..], row: 3 * c, column: 1 },
                    accumulate,
                );
                R::matmul(
                    shape,
                    Strided { data: &work.weights, row: 1, column: keys },
                    Strided { data: &dout[out_at + first * c..], row: c, column: 1 },
                    StridedMut { data: &mut dqkv[qkv_at + 2 * c..], row: 3 * c, column: 1 },
                    accumulate,
                );
            }
        });
    }

    fn flops(&self) -> u64 {
        self.0.flops(4)
    }

    fn workspace(&self) -> usize {
        self.0.workspace(2)
    }
}

/// One head of one sequence: its first element in qkv and dout, and where its rows begin in (B, H, T).
struct Head<'a, R> {
    qkv: &'a [R],
    dout: &'a [R],
    row: usize,
}

/// A twin's workspace for one tile of query rows.
struct Backward<R> {
    shape: AttentionShape,
    /// P, (rows, keys)
    weights: Vec<R>,
    /// dS, (rows, keys)
    dscores: Vec<R>,
}

impl<R: Real> Backward<R> {
    fn new(shape: AttentionShape) -> Self {
        let zeros = vec![R::ZERO; TILE * shape.context];
        Self { shape, weights: zeros.clone(), dscores: zeros }
    }

    /// Recomputes P, and dS = P (dO Vᵀ − δ) / √D, for `rows` query rows from `first` on.
    fn score_gradients(&mut self, head: &Head<R>, log_sum: &[R], delta: &[R], first: usize, rows: usize, keys: usize) {
        let (c, d) = (self.shape.width(), self.shape.head_size);
        let [q, k, v] = [0, c, 2 * c].map(|part| &head.qkv[part..]);
        score(&mut self.weights, &q[first * 3 * c..], k, [rows, keys, d], 3 * c);
        R::matmul(
            MatMulShape { rows, inner: d, columns: keys },
            Strided { data: &head.dout[first * c..], row: c, column: 1 },
            Strided { data: v, row: 1, column: 3 * c },
            StridedMut { data: &mut self.dscores, row: keys, column: 1 },
            false,
        );
        let scale = R::of(self.shape.scale());
        for i in 0..rows {
            let at = head.row + first + i;
            let (log_sum, delta) = (log_sum[at], delta[at]);
            let seen = first + i + 1;
            let (weights, unseen_weights) = self.weights[i * keys..][..keys].split_at_mut(seen);
            let (dscores, unseen_dscores) = self.dscores[i * keys..][..keys].split_at_mut(seen);
            wide(|| {
                for (p, ds) in weights.iter_mut().zip(dscores) {
                    *p = (*p * scale - log_sum).exp();
                    *ds = *p * (*ds - delta) * scale;
                }
            });
            unseen_weights.fill(R::ZERO);
            unseen_dscores.fill(R::ZERO);
        }
    }
}

/// Scores become weights, softmax(scale · scores); returns their log-sum-exp.
#[inline(always)]
pub(super) fn softmax<R: Real>(scores: &mut [R], scale: R) -> R {
    let max = max_of(scores);
    scores.iter_mut().for_each(|s| *s = ((*s - max) * scale).exp());
    let sum = sum_of(scores, |p| p);
    let share = R::ONE / sum;
    scores.iter_mut().for_each(|p| *p *= share);
    max * scale + sum.ln()
}

/// Unscaled scores of `rows` queries against `keys` keys; both lie `stride` apart.
pub(super) fn score<R: Real>(scores: &mut [R], q: &[R], k: &[R], [rows, keys, d]: [usize; 3], stride: usize) {
    R::matmul(
        MatMulShape { rows, inner: d, columns: keys },
        Strided { data: q, row: stride, column: 1 },
        Strided { data: k, row: 1, column: stride },
        StridedMut { data: scores, row: keys, column: 1 },
        false,
    );
}
