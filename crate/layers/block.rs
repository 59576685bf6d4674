//! A transformer block: attention, then an MLP, each a branch beside the residual stream.
//!
//! pre-norm:  x + attention(norm1(x)), then x + mlp(norm2(x));
//! post-norm: norm1(x + attention(x)), then norm2(x + mlp(x)).

use super::{Linear, Nonlinearity, Recorder, Variable, linear, norm};
use crate::config::{ModelConfig, NormPosition, Position};
use crate::kernels::attention::{AttentionBackwardKeyValue, AttentionBackwardQuery, AttentionForward, AttentionShape};
use crate::kernels::attention_decode::AttentionDecode;
use crate::kernels::query_key::{self, QueryKey, QueryKeyBackward};
use crate::tape::Tensor;

/// Where the norms of a block leave the shares of their weights' gradients.
#[derive(Clone, Copy)]
pub struct Shares {
    /// Of norm1 and norm2.
    pub norms: [Tensor; 2],
    /// Of QK-norm.
    pub heads: Option<Tensor>,
}

/// Records block `index` on the residual stream `x`; returns the stream after it.
///
/// Between two norms that stand in the stream, its gradient is one tensor that flows through in place: a branch adds to
/// it, and the skip connection needs no op. With pre-norm that is the whole stream. A post-norm ends one such stretch
/// and begins the next; there a branch reads the stream itself.
pub fn block(r: &mut Recorder, model: &ModelConfig, index: u32, x: Variable, shares: Option<Shares>) -> Variable {
    let name = format!("blocks.{index}");
    let [norm1, norm2] = ["norm1", "norm2"].map(|norm| format!("{name}.{norm}"));
    let [shares1, shares2] = [0, 1].map(|i| shares.map(|shares| shares.norms[i]));
    let heads = shares.and_then(|shares| shares.heads);
    let [site1, site2] = [2 * index + 1, 2 * index + 2];
    match model.norm_position {
        NormPosition::Pre => {
            let normed = norm(r, model, &norm1, x, shares1, false);
            let x = attention(r, model, &name, x, normed, site1, heads);
            let normed = norm(r, model, &norm2, x, shares2, false);
            mlp(r, model, &name, x, normed, site2)
        }
        NormPosition::Post => {
            let x = attention(r, model, &name, x, x, site1, heads);
            let x = norm(r, model, &norm1, x, shares1, true);
            let x = mlp(r, model, &name, x, x, site2);
            norm(r, model, &norm2, x, shares2, true)
        }
    }
}

/// x + out(attention(turn(norm(q, k)), v)) with q, k, v = qkv(normed), dropout `site` before the sum.
fn attention(
    r: &mut Recorder,
    model: &ModelConfig,
    block: &str,
    x: Variable,
    normed: Variable,
    site: u32,
    shares: Option<Tensor>,
) -> Variable {
    let width = r.shape.width;
    let shape = AttentionShape {
        kv_heads: model.key_value_heads() as usize,
        position: model.position,
        documents: r.batch.packed.is_some(),
        ..AttentionShape::new(r.shape.batch, r.shape.context, model.heads as usize, model.head_size() as usize)
    };
    let name = format!("{block}.attn");

    let qkv_name = format!("{name}.qkv");
    let qkv = r.variable(&qkv_name, shape.qkv_width());
    linear(r, &from_stream(model, &qkv_name, width, shape.qkv_width()), normed, qkv);
    if model.qk_norm || model.position == Position::Rope {
        query_key(r, shape, model.qk_norm, &name, qkv, shares);
    }

    let mixed = r.variable(&name, width);
    mix(r, shape, &name, qkv, mixed);

    let out = Variable { value: r.variable(&format!("{name}.out"), width).value, gradient: x.gradient };
    let out_name = format!("{name}.out");
    let dropout = r.mask(model, site);
    let layer = Linear { dropout, residual: Some(x.value), ..plain(model, &out_name, width, width) };
    linear(r, &layer, mixed, out);
    out
}

/// Norms queries and keys and turns them, in place, and takes their gradients back. `shares` takes the shares of the
/// norms' gradients, those of the queries' weight before those of the keys'.
fn query_key(r: &mut Recorder, shape: AttentionShape, norm: bool, name: &str, qkv: Variable, shares: Option<Tensor>) {
    let weights: Vec<Tensor> = ["q_norm", "k_norm"]
        .into_iter()
        .filter(|_| norm)
        .map(|norm| r.weight(&format!("{name}.{norm}.weight")))
        .collect();
    let table = (shape.position == Position::Rope).then(|| r.table().slice(0..shape.context * shape.head_size));
    let raw = shares.map(|_| r.tape.transient(format!("{name} raw queries and keys"), query_key::raw_len(shape)));

    let kernel = QueryKey { shape, norm, keep: raw.is_some(), decode: r.decodes };
    let tensors: Vec<Tensor> = [qkv.value].into_iter().chain(weights.clone()).chain(raw).chain(table).collect();
    r.tape.push(kernel, format!("{name} queries and keys"), &tensors);
    if r.trains() {
        let rest = weights.into_iter().chain(raw).chain(shares).chain(table);
        let tensors: Vec<Tensor> = [qkv.gradient].into_iter().chain(rest).collect();
        r.tape.backward(|group| {
            group.push(QueryKeyBackward { shape, norm }, format!("{name} queries and keys gradient"), &tensors);
        });
    }
}

/// mixed = softmax(q kᵀ / √D + bias) v, each head by itself. While decoding, k and v join those of the tokens before.
fn mix(r: &mut Recorder, shape: AttentionShape, name: &str, qkv: Variable, mixed: Variable) {
    if r.decodes {
        let kernel = AttentionDecode(shape);
        let cache = r.tape.keep(format!("{name} keys and values"), kernel.cache_len());
        r.tape.push(kernel, name, &[qkv.value, cache, mixed.value]);
        return;
    }
    let log_sum = r.tape.transient(format!("{name} log-sum-exp"), shape.rows_len());
    let first_keys = r.batch.packed.map(|packed| packed.first_keys);
    let bound = |tensors: &[Tensor]| tensors.iter().copied().chain(first_keys).collect::<Vec<_>>();
    r.tape.push(AttentionForward(shape), name, &bound(&[qkv.value, mixed.value, log_sum]));
    if r.trains() {
        let delta = r.tape.transient(format!("{name} delta"), shape.rows_len());
        r.tape.backward(|group| {
            let tensors = bound(&[mixed.gradient, qkv.value, mixed.value, log_sum, qkv.gradient, delta]);
            group.push(AttentionBackwardQuery(shape), format!("{name} query gradient"), &tensors);
            let tensors = bound(&[mixed.gradient, qkv.value, log_sum, delta, qkv.gradient]);
            group.push(AttentionBackwardKeyValue(shape), format!("{name} key and value gradient"), &tensors);
        });
    }
}

/// x + down(act(up(normed))), or x + down(act(gate(normed)) · up(normed)), dropout `site` before the sum.
fn mlp(r: &mut Recorder, model: &ModelConfig, block: &str, x: Variable, normed: Variable, site: u32) -> Variable {
    let (width, hidden, activation) = (r.shape.width, model.hidden_size() as usize, model.activation);
    let [gate_name, up_name, down_name] = ["gate", "up", "down"].map(|part| format!("{block}.mlp.{part}"));

    let gate = activation.is_gated().then(|| {
        let gate = r.variable(&gate_name, hidden);
        // Backward it comes after up, and adds to what that leaves.
        let layer = Linear { accumulate_input: true, ..plain(model, &gate_name, width, hidden) };
        linear(r, &layer, normed, gate);
        gate
    });
    let up = r.variable(&up_name, hidden);
    let pre = r.tape.transient(format!("{up_name} before activation"), r.rows() * hidden);
    let nonlinearity = Some(Nonlinearity { activation, pre, gate });
    linear(r, &Linear { output: nonlinearity, ..from_stream(model, &up_name, width, hidden) }, normed, up);

    let out = Variable { value: r.variable(&down_name, width).value, gradient: x.gradient };
    let dropout = r.mask(model, site);
    let down = plain(model, &down_name, hidden, width);
    linear(r, &Linear { input: nonlinearity, dropout, residual: Some(x.value), ..down }, up, out);
    out
}

/// A branch's first layer. With post-norm it reads the stream itself, whose gradient is there already.
fn from_stream<'a>(model: &ModelConfig, name: &'a str, inputs: usize, outputs: usize) -> Linear<'a> {
    let accumulate_input = model.norm_position == NormPosition::Post;
    Linear { accumulate_input, ..plain(model, name, inputs, outputs) }
}

fn plain<'a>(model: &ModelConfig, name: &'a str, inputs: usize, outputs: usize) -> Linear<'a> {
    Linear {
        name,
        inputs,
        outputs,
        bias: model.biases,
        input: None,
        output: None,
        dropout: None,
        residual: None,
        accumulate_input: false,
    }
}
