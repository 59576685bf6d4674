//! Attention while sampling: one query over the keys and values of all tokens so far.

use super::attention::{AttentionShape, score, softmax};
use super::{Args, Binding, Spec, Step};
use crate::gpu::shader::Shader;
use crate::real::{MatMulShape, Real, Strided, StridedMut};

/// Puts k and v of qkv (1, (H + 2 KV) D) into row `step.position` of the cache (T, 2 KV D: keys, values), then computes
/// O (1, C) = softmax(q Kᵀ / √D) V over the cache's rows up to that one. The rows after it are those of other texts.
#[derive(Clone, Debug)]
pub struct AttentionDecode(pub AttentionShape);

impl AttentionDecode {
    /// Length of (T, 2 KV D).
    pub fn cache_len(&self) -> usize {
        self.0.context * 2 * self.0.kv_width()
    }
}

impl Spec for AttentionDecode {
    fn bindings(&self) -> Vec<Binding> {
        let width = self.0.width();
        vec![
            Binding::read("qkv", self.0.qkv_width()).vec4(),
            Binding::update("cache", self.cache_len()).vec4(),
            Binding::write("out", width).vec4(),
        ]
    }

    fn shader(&self) -> Shader {
        const WORKGROUP: usize = 64;
        let head4 = self.0.head_size / 4;
        let shader = Shader::new("attention_decode", self.bindings())
            .count("WIDTH4", self.0.width() / 4)
            .count("CACHE4", self.0.kv_width() / 4)
            .count("SHARING", self.0.sharing())
            .count("HEAD4", head4)
            .count("OWN", head4.div_ceil(WORKGROUP))
            .number("SCALE", self.0.scale() as f32);
        self.0
            .biased(shader)
            .part(include_str!("../../shaders/attention/decode.wgsl"))
            .workgroup([WORKGROUP, 1])
            .grid([self.0.heads, 1])
    }

    fn run<R: Real>(&self, args: Args<R>, step: &Step) {
        let (c, kv, d) = (self.0.width(), self.0.kv_width(), self.0.head_size);
        let [qkv, cache, out] = args.take();
        let (qkv, cache, out) = (qkv.read(), cache.write(), out.write());
        let position = step.position as usize;
        let keys = position + 1;
        cache[position * 2 * kv..][..2 * kv].copy_from_slice(&qkv[c..]);
        let mut scores = vec![R::ZERO; keys];
        let scale = R::of(self.0.scale());
        for (h, out) in out.chunks_exact_mut(d).enumerate() {
            let shared = h / self.0.sharing() * d;
            let (q, k, v) = (&qkv[h * d..], &cache[shared..], &cache[kv + shared..]);
            score(&mut scores, q, k, [1, keys, d], 2 * kv);
            self.0.bias(&mut scores, h, position, [1, keys]);
            softmax(&mut scores, scale);
            R::matmul(
                MatMulShape { rows: 1, inner: keys, columns: d },
                Strided { data: &scores, row: keys, column: 1 },
                Strided { data: v, row: 2 * kv, column: 1 },
                StridedMut { data: out, row: d, column: 1 },
                false,
            );
        }
    }
}
