//! The model: a decoder-only transformer, recorded layer by layer.

use crate::config::{Config, ModelConfig};
use crate::kernels::norm::NormBackward;
use crate::kernels::pick::{Pick, Picks};
use crate::kernels::query_key::QueryKeyBackward;
use crate::kernels::reduce::SumGroups;
use crate::kernels::soft_cap::SoftCap;
use crate::layers::{self, Recorder, Shares, Variable};
use crate::tape::Tensor;

/// Records everything from the tokens to what the head reads (B·T, C).
fn body(r: &mut Recorder, model: &ModelConfig) -> Variable {
    let width = r.shape.width;
    let shares = r.trains().then(|| norm_shares(r, model));
    let head_shares = (r.trains() && model.qk_norm).then(|| head_norm_shares(r, model));
    let shares_of = |i: u32| shares.as_ref().map(|shares| shares[i as usize]);

    // How the stream's gradient flows: see `layers::block`.
    let mut x = r.variable("embedding", width);
    layers::embed(r, x, model.position, model.tied_head);
    x = layers::dropout(r, model, "embedding dropout", x, 0);
    for i in 0..model.layers {
        let shares = shares_of(2 * i).zip(shares_of(2 * i + 1)).map(|(norm1, norm2)| Shares {
            norms: [norm1, norm2],
            heads: head_shares.as_ref().map(|shares| shares[i as usize]),
        });
        let before = r.tape.mark();
        x = layers::block(r, model, i, x, shares);
        if r.checkpointing && r.trains() {
            r.tape.recompute(before);
        }
    }
    if model.has_final_norm() {
        x = layers::norm(r, model, "norm_f", x, shares_of(2 * model.layers), true);
    }
    x
}

/// Where each norm's backward op leaves its shares, and, recorded to play after them all, the op that sums them into
/// the gradients. Only the backward pass reads and writes them.
fn norm_shares(r: &mut Recorder, model: &ModelConfig) -> Vec<Tensor> {
    let sets = 2 * model.layers as usize + usize::from(model.has_final_norm());
    let groups = NormBackward::groups(r.shape.rows());
    let width = NormBackward::share(model.norm_biases(), r.shape.width);
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
pub fn loss(r: &mut Recorder, config: &Config, losses: Tensor) {
    let x = body(r, &config.model);
    layers::loss(r, config, x, losses);
}

/// Records, for a recorder that decodes, one token's pass and the choice of the next. Returns how many of the ops only
/// read the token: a prompt needs no more, but for its last token.
pub fn next_token(r: &mut Recorder, model: &ModelConfig, picks: &Picks) -> usize {
    let x = body(r, model);
    let reading = r.tape.forward_len();
    let logits = layers::logits(r, x.value, model.tied_head);
    let soft_cap = SoftCap::new(model.logit_soft_cap);
    let pick = Pick { context: r.shape.context, vocabulary: r.shape.vocabulary, soft_cap };
    r.tape.push(pick, "next token", &[logits, r.batch.tokens, picks.candidates, picks.probabilities]);
    reading
}
