//! Token and position embeddings: where the residual stream begins.

use super::{Recorder, Variable};
use crate::kernels::embedding::{Embed, EmbedBackward};

/// Records x (B·T, C) = tok_emb[token] + pos_emb[t] into `x`. With a `tied` head the token embedding's gradient holds
/// the head's share already, and this is added to it.
pub fn embed(r: &mut Recorder, x: Variable, tied: bool) {
    let (tokens, positions) = ("tok_emb.weight", "pos_emb.weight");
    let kernel = Embed { shape: r.shape, decode: r.decodes };
    r.tape.push(kernel, "embedding", &[r.batch.tokens, r.weight(tokens), r.weight(positions), x.value]);
    if r.trains() {
        let kernel = EmbedBackward {
            shape: r.shape,
            accumulate_tokens: tied || r.accumulate,
            accumulate_positions: r.accumulate,
        };
        let tensors = [r.batch.starts, r.batch.order, x.gradient, r.gradient(tokens), r.gradient(positions)];
        r.tape.backward(|group| group.push(kernel, "embedding gradient", &tensors));
    }
}
