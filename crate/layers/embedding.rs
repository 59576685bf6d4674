//! Token embeddings, and positions where they are vectors too: where the residual stream begins.

use super::{Recorder, Variable};
use crate::config::Position;
use crate::kernels::embedding::{Embed, EmbedBackward};
use crate::tape::Tensor;

/// Records x (B·T, C) = tok_emb[token] + position[t] into `x`. With a `tied` head the token embedding's gradient holds
/// the head's share already, and this is added to it.
pub fn embed(r: &mut Recorder, x: Variable, position: Position, tied: bool) {
    let (tokens, positions) = ("tok_emb.weight", "pos_emb.weight");
    let len = r.shape.context * r.shape.width;
    let of_context = |tensor: Tensor| tensor.slice(0..len);
    let learned = position == Position::Learned;
    let added = match position {
        Position::Learned => Some(of_context(r.weight(positions))),
        Position::Sinusoidal => Some(of_context(r.table())),
        Position::None | Position::Rope | Position::Alibi => None,
    };
    let first_keys = r.batch.packed.filter(|_| added.is_some()).map(|packed| packed.first_keys);
    let documents = first_keys.is_some();
    let kernel = Embed { shape: r.shape, positions: added.is_some(), documents, decode: r.decodes };
    let mut tensors = vec![r.batch.tokens, r.weight(tokens), x.value];
    tensors.extend(added);
    tensors.extend(first_keys);
    r.tape.push(kernel, "embedding", &tensors);
    if r.trains() {
        let sorted = r.batch.packed.and_then(|packed| packed.positions);
        let kernel = EmbedBackward {
            shape: r.shape,
            accumulate_tokens: tied || r.accumulate,
            positions: learned,
            documents: sorted.is_some(),
            accumulate_positions: r.accumulate,
        };
        let mut tensors = vec![r.batch.starts, r.batch.order, x.gradient, r.gradient(tokens)];
        // Where the tape's context is a part of the model's, the gradients of the other positions stay zero.
        tensors.extend(learned.then(|| of_context(r.gradient(positions))));
        tensors.extend(sorted.into_iter().flatten());
        r.tape.backward(|group| group.push(kernel, "embedding gradient", &tensors));
    }
}
