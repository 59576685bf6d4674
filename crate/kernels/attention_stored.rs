//! Attention that stores the T × T matrix, in two kernels. No part of a run: what [`super::attention`] does without it is
//! measured against it.

use super::attention::{AttentionShape, score, softmax};
use super::{Args, Binding, Spec, Step};
use crate::gpu::shader::Shader;
use crate::real::{MatMulShape, Real, Strided, StridedMut, wide};

impl AttentionShape {
    /// Length of (B, H, T, T).
    pub fn weights_len(self) -> usize {
        self.rows_len() * self.context
    }
}

/// P (B, H, T, T) = softmax(Q Kᵀ / √D + bias) over the keys j ≤ i, 0 for the others, from qkv (B, T, (H + 2 KV) D).
#[derive(Clone, Debug)]
pub struct AttentionWeights(pub AttentionShape);

impl Spec for AttentionWeights {
    fn bindings(&self) -> Vec<Binding> {
        let shape = self.0;
        vec![Binding::read("qkv", shape.qkv_len()).vec4(), Binding::write("weights", shape.weights_len())]
    }

    fn shader(&self) -> Shader {
        let part = include_str!("../../shaders/attention/weights.wgsl");
        self.0.shader("attention_weights", self.bindings(), 1, part)
    }

    fn run<R: Real>(&self, args: Args<R>, _: &Step) {
        let shape = self.0;
        let (d, token, context) = (shape.head_size, shape.qkv_width(), shape.context);
        let [qkv, weights] = args.take();
        let (qkv, weights) = (qkv.read(), weights.write());
        let scale = R::of(shape.scale());
        shape.for_each_head(|head| {
            let weights = &mut weights[head.row * context..][..context * context];
            score(weights, &qkv[head.q..], &qkv[head.k..], [context, context, d], token);
            shape.bias(weights, head.number, 0, [context, context]);
            for (i, row) in weights.chunks_exact_mut(context).enumerate() {
                let (seen, unseen) = row.split_at_mut(i + 1);
                wide(|| softmax(seen, scale));
                unseen.fill(R::ZERO);
            }
        });
    }

    fn flops(&self) -> u64 {
        self.0.flops(1)
    }
}

/// O (B, T, C) = P V.
#[derive(Clone, Debug)]
pub struct AttentionMix(pub AttentionShape);

impl Spec for AttentionMix {
    fn bindings(&self) -> Vec<Binding> {
        let shape = self.0;
        vec![
            Binding::read("weights", shape.weights_len()),
            Binding::read("qkv", shape.qkv_len()).vec4(),
            Binding::write("out", shape.out_len()).vec4(),
        ]
    }

    fn shader(&self) -> Shader {
        let part = include_str!("../../shaders/attention/mix.wgsl");
        self.0.shader("attention_mix", self.bindings(), 1, part)
    }

    fn run<R: Real>(&self, args: Args<R>, _: &Step) {
        let shape = self.0;
        let (c, d, token, context) = (shape.width(), shape.head_size, shape.qkv_width(), shape.context);
        let [weights, qkv, out] = args.take();
        let (weights, qkv, out) = (weights.read(), qkv.read(), out.write());
        shape.for_each_head(|head| {
            R::matmul(
                MatMulShape { rows: context, inner: context, columns: d },
                Strided { data: &weights[head.row * context..], row: context, column: 1 },
                Strided { data: &qkv[head.v..], row: token, column: 1 },
                StridedMut { data: &mut out[head.out..], row: c, column: 1 },
                false,
            );
        });
    }

    fn flops(&self) -> u64 {
        self.0.flops(1)
    }
}
