//! A transformer block, pre-norm: x + attention(norm1(x)), then + mlp(norm2(·)).

use super::{Linear, Recorder, Variable, linear, norm};
use crate::config::{ModelConfig, Position};
use crate::kernels::attention::{AttentionBackwardKeyValue, AttentionBackwardQuery, AttentionForward, AttentionShape};
use crate::kernels::attention_decode::AttentionDecode;
use crate::kernels::query_key::{self, QueryKey, QueryKeyBackward};
use crate::tape::Tensor;

/// Records block `index` on the residual stream `x`; returns the stream after it.
///
/// The gradient of the stream is one tensor that flows through all blocks in place: a branch adds to it, and the skip
/// connection needs no op. `shares` are those of norm1 and norm2, `head_shares` those of QK-norm.
pub fn block(
    r: &mut Recorder,
    model: &ModelConfig,
    index: u32,
    x: Variable,
    shares: Option<[Tensor; 2]>,
    head_shares: Option<Tensor>,
) -> Variable {
    let name = format!("blocks.{index}");
    let [shares1, shares2] = [0, 1].map(|i| shares.map(|shares| shares[i]));
    let normed = norm(r, model.norm, &format!("{name}.norm1"), x, shares1, false);
    let x = attention(r, model, &name, x, normed, head_shares);
    let normed = norm(r, model.norm, &format!("{name}.norm2"), x, shares2, false);
    mlp(r, model, &name, x, normed)
}

/// x + out(attention(turn(norm(q, k)), v)) with q, k, v = qkv(normed)
fn attention(
    r: &mut Recorder,
    model: &ModelConfig,
    block: &str,
    x: Variable,
    normed: Variable,
    shares: Option<Tensor>,
) -> Variable {
    let width = r.shape.width;
    let shape = AttentionShape {
        kv_heads: model.key_value_heads() as usize,
        position: model.position,
        ..AttentionShape::new(r.shape.batch, r.shape.context, model.heads as usize, model.head_size() as usize)
    };
    let name = format!("{block}.attn");

    let qkv = r.variable(&format!("{name}.qkv"), shape.qkv_width());
    linear(r, &plain(&format!("{name}.qkv"), width, shape.qkv_width()), normed, qkv);
    if model.qk_norm || model.position == Position::Rope {
        query_key(r, shape, model.qk_norm, &name, qkv, shares);
    }

    let mixed = r.variable(&name, width);
    mix(r, shape, &name, qkv, mixed);

    let out = Variable { value: r.variable(&format!("{name}.out"), width).value, gradient: x.gradient };
    let out_name = format!("{name}.out");
    linear(r, &Linear { residual: Some(x.value), ..plain(&out_name, width, width) }, mixed, out);
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
    r.tape.push(AttentionForward(shape), name, &[qkv.value, mixed.value, log_sum]);
    if r.trains() {
        let delta = r.tape.transient(format!("{name} delta"), shape.rows_len());
        r.tape.backward(|group| {
            let tensors = [mixed.gradient, qkv.value, mixed.value, log_sum, qkv.gradient, delta];
            group.push(AttentionBackwardQuery(shape), format!("{name} query gradient"), &tensors);
            let tensors = [mixed.gradient, qkv.value, log_sum, delta, qkv.gradient];
            group.push(AttentionBackwardKeyValue(shape), format!("{name} key and value gradient"), &tensors);
        });
    }
}

/// x + down(act(up(normed)))
fn mlp(r: &mut Recorder, model: &ModelConfig, block: &str, x: Variable, normed: Variable) -> Variable {
    let (width, hidden) = (r.shape.width, model.hidden as usize);
    let (up_name, down_name) = (format!("{block}.mlp.up"), format!("{block}.mlp.down"));

    let up = r.variable(&up_name, hidden);
    let pre = r.tape.transient(format!("{up_name} before activation"), r.rows() * hidden);
    let activation = Some((model.activation, pre));
    linear(r, &Linear { output_activation: activation, ..plain(&up_name, width, hidden) }, normed, up);

    let out = Variable { value: r.variable(&down_name, width).value, gradient: x.gradient };
    let down = Linear { input_activation: activation, residual: Some(x.value), ..plain(&down_name, hidden, width) };
    linear(r, &down, up, out);
    out
}

fn plain(name: &str, inputs: usize, outputs: usize) -> Linear<'_> {
    Linear { name, inputs, outputs, input_activation: None, output_activation: None, residual: None }
}
