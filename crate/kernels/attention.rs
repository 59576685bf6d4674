//! Causal multi-head attention, forward and backward, that never stores the T × T matrix
//! (Dao et al. 2022, arXiv 2205.14135: online softmax, log-sum-exp kept for the backward pass).
//!
//! With S = Q Kᵀ / √D, P = softmax over the keys j ≤ i, O = P V:
//! dV = Pᵀ dO,  dP = dO Vᵀ,  δ_i = Σ_d dO_id O_id,  dS = P (dP − δ) / √D,  dQ = dS K,  dK = dSᵀ Q.
//! ALiBi takes m (i − j) off S, which changes P and no formula. What RoPE and QK-norm do to Q and K has been done before:
//! see [`super::query_key`].
//!
//! Queries, keys and values of a token lie side by side: H heads of queries, KV of keys, KV of values. Each head of keys
//! and values serves H / KV neighbouring heads of queries (Ainslie et al. 2023, arXiv 2305.13245), and its gradients are
//! summed over them.
//!
//! A row of a batch may hold several documents, of which none sees another ([`AttentionShape::documents`]): query i then sees
//! the keys from `first_keys[i]` to i only, and first keys never go back along a row.
//!
//! Two backward kernels, one that owns a query row and one that owns a key row, so that no sum needs atomics.

pub use super::attention_shape::AttentionShape;
use super::attention_shape::{Head, Sight, TILE};
use super::{Args, Binding, Spec, Step};
use crate::gpu::shader::Shader;
use crate::real::{MatMulShape, Real, Strided, StridedMut, max_of, sum_of, wide};

/// O (B, T, C) and the log-sum-exp of each row of scores (B, H, T) from qkv (B, T, (H + 2 KV) D).
#[derive(Clone, Debug)]
pub struct AttentionForward(pub AttentionShape);

impl Spec for AttentionForward {
    fn bindings(&self) -> Vec<Binding> {
        let shape = self.0;
        let mut bindings = vec![
            Binding::read("qkv", shape.qkv_len()).vec4(),
            Binding::write("out", shape.out_len()).vec4(),
            Binding::write("log_sum", shape.rows_len()),
        ];
        bindings.extend(shape.first_keys());
        bindings
    }

    fn shader(&self) -> Shader {
        let part = include_str!("../../shaders/attention/forward.wgsl");
        self.0.shader("attention_forward", self.bindings(), 1, part)
    }

    fn run<R: Real>(&self, args: Args<R>, _: &Step) {
        let shape = self.0;
        let (c, d, token) = (shape.width(), shape.head_size, shape.qkv_width());
        let ([qkv, out, log_sum], mut rest) = args.take_with_rest();
        let sight = shape.sight(rest.next());
        let (qkv, out, log_sum) = (qkv.read(), out.write(), log_sum.write());
        let mut scores = vec![R::ZERO; TILE * shape.context];
        let scale = R::of(shape.scale());
        shape.for_each_head(|head| {
            for (first, rows, keys) in shape.tiles() {
                // Keys that no row of the tile sees are left out.
                let from = sight.first_key(head.sequence, first);
                let keys = keys - from;
                let [q, k, v] =
                    [head.q + first * token, head.k + from * token, head.v + from * token].map(|at| &qkv[at..]);
                score(&mut scores, q, k, [rows, keys, d], token);
                shape.bias(&mut scores, head.number, first - from, [rows, keys]);
                for (i, row) in scores[..rows * keys].chunks_exact_mut(keys).enumerate() {
                    let (before, row) = row.split_at_mut(sight.first_key(head.sequence, first + i) - from);
                    let (seen, unseen) = row.split_at_mut(first + i + 1 - from - before.len());
                    log_sum[head.row + first + i] = wide(|| softmax(seen, scale));
                    before.fill(R::ZERO);
                    unseen.fill(R::ZERO);
                }
                R::matmul(
                    MatMulShape { rows, inner: keys, columns: d },
                    Strided { data: &scores, row: keys, column: 1 },
                    Strided { data: v, row: token, column: 1 },
                    StridedMut { data: &mut out[head.out + first * c..], row: c, column: 1 },
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
        let mut bindings = vec![
            Binding::read("dout", shape.out_len()).vec4(),
            Binding::read("qkv", shape.qkv_len()).vec4(),
            Binding::read("out", shape.out_len()).vec4(),
            Binding::read("log_sum", shape.rows_len()),
            Binding::write("dqkv", shape.qkv_len()).vec4(),
            Binding::write("delta", shape.rows_len()),
        ];
        bindings.extend(shape.first_keys());
        bindings
    }

    fn shader(&self) -> Shader {
        let part = include_str!("../../shaders/attention/backward_query.wgsl");
        self.0.shader("attention_backward_query", self.bindings(), 1, part)
    }

    fn run<R: Real>(&self, args: Args<R>, _: &Step) {
        let shape = self.0;
        let (c, d, token) = (shape.width(), shape.head_size, shape.qkv_width());
        let ([dout, qkv, out, log_sum, dqkv, delta], mut rest) = args.take_with_rest();
        let (dout, qkv, out, log_sum) = (dout.read(), qkv.read(), out.read(), log_sum.read());
        let (dqkv, delta) = (dqkv.write(), delta.write());
        let mut work = Backward::new(shape, shape.sight(rest.next()));
        shape.for_each_head(|head| {
            if shape.at_once {
                work.begin(&head, dqkv);
            }
            for i in 0..shape.context {
                let at = head.out + i * c;
                delta[head.row + i] = dout[at..at + d].iter().zip(&out[at..at + d]).map(|(&a, &b)| a * b).sum();
            }
            for (first, rows, keys) in shape.tiles_backwards() {
                let from = work.score_gradients(&head, qkv, dout, [log_sum, delta], first, [rows, keys]);
                let seen = keys - from;
                R::matmul(
                    MatMulShape { rows, inner: seen, columns: d },
                    Strided { data: &work.dscores, row: seen, column: 1 },
                    Strided { data: &qkv[head.k + from * token..], row: token, column: 1 },
                    StridedMut { data: &mut dqkv[head.q + first * token..], row: token, column: 1 },
                    false,
                );
                if shape.at_once {
                    work.keys_and_values(&head, qkv, dout, dqkv, first, [rows, keys]);
                }
            }
        });
    }

    fn flops(&self) -> u64 {
        self.0.flops(if self.0.at_once { 5 } else { 3 })
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
        let mut bindings = vec![
            Binding::read("dout", shape.out_len()).vec4(),
            Binding::read("qkv", shape.qkv_len()).vec4(),
            Binding::read("log_sum", shape.rows_len()),
            Binding::read("delta", shape.rows_len()),
            Binding::update("dqkv", shape.qkv_len()).vec4(),
        ];
        bindings.extend(shape.first_keys());
        bindings
    }

    fn shader(&self) -> Shader {
        let part = include_str!("../../shaders/attention/backward_key_value.wgsl");
        self.0.shader("attention_backward_key_value", self.bindings(), self.0.sharing(), part)
    }

    fn run<R: Real>(&self, args: Args<R>, _: &Step) {
        let shape = self.0;
        if shape.at_once {
            return;
        }
        let ([dout, qkv, log_sum, delta, dqkv], mut rest) = args.take_with_rest();
        let (dout, qkv, log_sum, delta) = (dout.read(), qkv.read(), log_sum.read(), delta.read());
        let dqkv = dqkv.write();
        let mut work = Backward::new(shape, shape.sight(rest.next()));
        shape.for_each_head(|head| {
            work.begin(&head, dqkv);
            for (first, rows, keys) in shape.tiles_backwards() {
                work.score_gradients(&head, qkv, dout, [log_sum, delta], first, [rows, keys]);
                work.keys_and_values(&head, qkv, dout, dqkv, first, [rows, keys]);
            }
        });
    }

    fn flops(&self) -> u64 {
        self.0.flops(if self.0.at_once { 0 } else { 4 })
    }

    fn workspace(&self) -> usize {
        self.0.workspace(2)
    }

    fn rests(&self) -> bool {
        self.0.at_once
    }
}

/// A twin's workspace for one tile of query rows.
struct Backward<'a, R> {
    shape: AttentionShape,
    sight: Sight<'a>,
    /// P, (rows, keys)
    weights: Vec<R>,
    /// dS, (rows, keys)
    dscores: Vec<R>,
}

impl<'a, R: Real> Backward<'a, R> {
    fn new(shape: AttentionShape, sight: Sight<'a>) -> Self {
        let zeros = vec![R::ZERO; TILE * shape.context];
        Self { shape, sight, weights: zeros.clone(), dscores: zeros }
    }

    /// Where no tile sees all keys, their gradients begin at zero, so that every tile can add to them.
    fn begin(&self, head: &Head, dqkv: &mut [R]) {
        if !self.sight.cuts() || !head.first {
            return;
        }
        let (d, token) = (self.shape.head_size, self.shape.qkv_width());
        for j in 0..self.shape.context {
            [head.k, head.v].into_iter().for_each(|at| dqkv[at + j * token..][..d].fill(R::ZERO));
        }
    }

    /// Recomputes P, and dS = P (dO Vᵀ − δ) / √D, for `rows` query rows from `first` on, against the keys from the first
    /// that one of them sees up to `keys`; returns that first key.
    fn score_gradients(
        &mut self,
        head: &Head,
        qkv: &[R],
        dout: &[R],
        [log_sum, delta]: [&[R]; 2],
        first: usize,
        [rows, keys]: [usize; 2],
    ) -> usize {
        let (c, d, token) = (self.shape.width(), self.shape.head_size, self.shape.qkv_width());
        let from = self.sight.first_key(head.sequence, first);
        let keys = keys - from;
        let [q, k, v] = [head.q + first * token, head.k + from * token, head.v + from * token].map(|at| &qkv[at..]);
        score(&mut self.weights, q, k, [rows, keys, d], token);
        self.shape.bias(&mut self.weights, head.number, first - from, [rows, keys]);
        R::matmul(
            MatMulShape { rows, inner: d, columns: keys },
            Strided { data: &dout[head.out + first * c..], row: c, column: 1 },
            Strided { data: v, row: 1, column: token },
            StridedMut { data: &mut self.dscores, row: keys, column: 1 },
            false,
        );
        let scale = R::of(self.shape.scale());
        for i in 0..rows {
            let at = head.row + first + i;
            let (log_sum, delta) = (log_sum[at], delta[at]);
            let before = self.sight.first_key(head.sequence, first + i) - from;
            let seen = first + i + 1 - from;
            let (weights, unseen_weights) = self.weights[i * keys..][..keys].split_at_mut(seen);
            let (dscores, unseen_dscores) = self.dscores[i * keys..][..keys].split_at_mut(seen);
            let (weights_before, weights) = weights.split_at_mut(before);
            let (dscores_before, dscores) = dscores.split_at_mut(before);
            wide(|| {
                for (p, ds) in weights.iter_mut().zip(dscores) {
                    *p = (*p * scale - log_sum).exp();
                    *ds = *p * (*ds - delta) * scale;
                }
            });
            for unseen in [weights_before, unseen_weights, dscores_before, unseen_dscores] {
                unseen.fill(R::ZERO);
            }
        }
        from
    }

    /// dK and dV of the keys that the tile sees. Going through the tiles backwards, the first writes what the others, and
    /// those of the heads that share the keys, add to.
    fn keys_and_values(
        &self,
        head: &Head,
        qkv: &[R],
        dout: &[R],
        dqkv: &mut [R],
        first: usize,
        [rows, keys]: [usize; 2],
    ) {
        let (c, d, token) = (self.shape.width(), self.shape.head_size, self.shape.qkv_width());
        let from = self.sight.first_key(head.sequence, first);
        let accumulate = keys < self.shape.context || !head.first || self.sight.cuts();
        let keys = keys - from;
        let shape = MatMulShape { rows: keys, inner: rows, columns: d };
        R::matmul(
            shape,
            Strided { data: &self.dscores, row: 1, column: keys },
            Strided { data: &qkv[head.q + first * token..], row: token, column: 1 },
            StridedMut { data: &mut dqkv[head.k + from * token..], row: token, column: 1 },
            accumulate,
        );
        R::matmul(
            shape,
            Strided { data: &self.weights, row: 1, column: keys },
            Strided { data: &dout[head.out + first * c..], row: c, column: 1 },
            StridedMut { data: &mut dqkv[head.v + from * token..], row: token, column: 1 },
            accumulate,
        );
    }
}

/// P (H, T, T) of one sequence from its qkv (T, (H + 2 KV) D), after QK-norm and turns: what a run never stores, for
/// looking at. Weights of keys that a query does not see are 0.
pub fn weights<R: Real>(shape: AttentionShape, qkv: &[R]) -> Vec<R> {
    assert_eq!((shape.batch, qkv.len()), (1, shape.qkv_len()), "one sequence's qkv");
    let (d, token, context) = (shape.head_size, shape.qkv_width(), shape.context);
    let mut weights = vec![R::ZERO; shape.heads * context * context];
    let mut scores = vec![R::ZERO; TILE * context];
    shape.for_each_head(|head| {
        for (first, rows, keys) in shape.tiles() {
            score(&mut scores, &qkv[head.q + first * token..], &qkv[head.k..], [rows, keys, d], token);
            shape.bias(&mut scores, head.number, first, [rows, keys]);
            for (i, row) in scores[..rows * keys].chunks_exact_mut(keys).enumerate() {
                let seen = &mut row[..first + i + 1];
                softmax(seen, R::of(shape.scale()));
                weights[(head.row + first + i) * context..][..seen.len()].copy_from_slice(seen);
            }
        }
    });
    weights
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
