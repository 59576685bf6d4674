//! The model: a decoder-only transformer, recorded layer by layer.

use crate::config::ModelConfig;
use crate::kernels::norm::NormBackward;
use crate::kernels::pick::{Pick, Picks};
use crate::kernels::query_key::QueryKeyBackward;
use crate::kernels::reduce::SumGroups;
use crate::layers::{self, Recorder, Variable};
use crate::tape::Tensor;

/// Records everything from the tokens to the last norm's output (B·T, C).
fn body(r: &mut Recorder, model: &ModelConfig) -> Variable {
    let width = r.shape.width;
    let shares = r.trains().then(|| norm_shares(r, model));
    let head_shares = (r.trains() && model.qk_norm).then(|| head_norm_shares(r, model));
    let shares_of = |i: u32| shares.as_ref().map(|shares| shares[i as usize]);

    // The stream has one gradient for all of its points: see `layers::block`.
    let stream = r.variable("embedding", width);
    layers::embed(r, stream, model.position, model.tied_head);
    let mut x = stream;
    for i in 0..model.layers {
        let pair = shares_of(2 * i).zip(shares_of(2 * i + 1)).map(|(norm1, norm2)| [norm1, norm2]);
        let of_heads = head_shares.as_ref().map(|shares| shares[i as usize]);
        x = layers::block(r, model, i, x, pair, of_heads);
    }
    layers::norm(r, model.norm, "norm_f", x, shares_of(2 * model.layers), true)
}

/// Where each norm's backward op leaves its shares, and, recorded to play after them all, the op that sums them into
/// the gradients. Only the backward pass reads and writes them.
fn norm_shares(r: &mut Recorder, model: &ModelConfig) -> Vec<Tensor> {
    let sets = 2 * model.layers as usize + 1;
    let groups = NormBackward::groups(r.shape.rows());
    let width = NormBackward::share(model.norm, r.shape.width);
    let set = groups * width;
    let all = r.tape.transient("norm shares", sets * set);
    let gradients = r.gradients.expect("only while training").slice(r.parameters.norms.clone());
    let kernel = SumGroups { sets, groups, width, accumulate: r.accumulate };
    // Recorded first, so it plays last.
    r.tape.backward(|group| group.push(kernel, "norm gradients", &[all, gradients]));
    (0..sets).map(|i| all.slice(i * set..(i + 1) * set)).collect()
}

/// The same for QK-norm: for each block the shares of the queries' weight, then of the keys'.
fn head_norm_shares(r: &mut Recorder, model: &ModelConfig) -> Vec<Tensor> {
    let blocks = model.layers as usize;
    let groups = QueryKeyBackward::groups(r.shape.rows());
    let width = QueryKeyBackward::share(model.head_size() as usize);
    let pair = 2 * groups * width;
    let all = r.tape.transient("head norm shares", blocks * pair);
    let gradients = r.gradients.expect("only while training").slice(r.parameters.head_norms.clone());
    let kernel = SumGroups { sets: 2 * blocks, groups, width, accumulate: r.accumulate };
    r.tape.backward(|group| group.push(kernel, "head norm gradients", &[all, gradients]));
    (0..blocks).map(|i| all.slice(i * pair..(i + 1) * pair)).collect()
}

/// Records the loss of each token, in nats, into `losses` (B·T), and all gradients while training.
pub fn loss(r: &mut Recorder, model: &ModelConfig, losses: Tensor) {
    let x = body(r, model);
    layers::loss(r, x, losses, model.tied_head);
}

/// Records, for a recorder that decodes, one token's pass and the choice of the next. Returns how many of the ops only
/// read the token: a prompt needs no more, but for its last token.
pub fn next_token(r: &mut Recorder, model: &ModelConfig, picks: &Picks) -> usize {
    let x = body(r, model);
    let reading = r.tape.forward_len();
    let logits = layers::logits(r, x.value, model.tied_head);
    let pick = Pick { context: r.shape.context, vocabulary: r.shape.vocabulary };
    r.tape.push(pick, "next token", &[logits, r.batch.tokens, picks.candidates, picks.probabilities]);
    reading
}
