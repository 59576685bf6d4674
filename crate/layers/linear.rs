//! A linear layer, y = x Wᵀ + b, with what comes before and after it fused into its products.

use super::{Recorder, Variable};
use crate::config::Activation;
use crate::kernels::dropout::{Dropout, Mask};
use crate::kernels::matmul::{ActivationEnd, Ends, Layout, MatMul};
use crate::tape::Tensor;

/// `x` (R, inputs) → (R, outputs), with the weight and, maybe, the bias named `{name}.weight`, `{name}.bias`.
pub struct Linear<'a> {
    pub name: &'a str,
    pub inputs: usize,
    pub outputs: usize,
    pub bias: bool,
    /// The input is what this makes: its gradient is carried through to what it was made of.
    pub input: Option<Nonlinearity>,
    /// The output is what this makes of the product.
    pub output: Option<Nonlinearity>,
    /// Zeroes some of the output, before the residual joins it.
    pub dropout: Option<Mask>,
    /// Added to the output. Its gradient is the output's own, so nothing is recorded for it.
    pub residual: Option<Tensor>,
    /// The input's gradient is added to what is there.
    pub accumulate_input: bool,
}

/// Between two linear layers: act(pre), or act(gate) · pre.
#[derive(Clone, Copy)]
pub struct Nonlinearity {
    pub activation: Activation,
    pub pre: Tensor,
    /// Of a gated activation.
    pub gate: Option<Variable>,
}

/// Records y = dropout(act(x Wᵀ + b)) + residual into `y`.
///
/// Backward, from y's gradient (or that of what its nonlinearity was made of):
/// dW = dyᵀ x,  db = Σ_rows dy,  dx = dy W · act′(pre of x), where dy has gone through the dropout's mask again.
pub fn linear(r: &mut Recorder, layer: &Linear, x: Variable, y: Variable) {
    let Linear { name, inputs, outputs, bias, .. } = *layer;
    let rows = r.rows();
    let weight = r.weight(&format!("{name}.weight"));
    let bias_name = format!("{name}.bias");

    let ends = Ends {
        bias,
        activation: layer.output.map_or(ActivationEnd::None, |of| ActivationEnd::Forward(of.activation)),
        dropout: layer.dropout,
        residual: layer.residual.is_some(),
        ..Ends::default()
    };
    let mut tensors = vec![x.value, weight, y.value];
    if bias {
        tensors.push(r.weight(&bias_name));
    }
    if let Some(Nonlinearity { pre, gate, .. }) = layer.output {
        tensors.push(pre);
        tensors.extend(gate.map(|gate| gate.value));
    }
    tensors.extend(layer.residual);
    r.tape.push(MatMul::new(Layout::NT, rows, outputs, inputs).with(ends), name, &tensors);

    if !r.trains() {
        return;
    }
    let accumulate = r.accumulate;
    let dweight = r.gradient(&format!("{name}.weight"));
    let dbias = bias.then(|| r.gradient(&bias_name));
    let dropped = layer.dropout.map(|mask| {
        let dropped = r.tape.transient(format!("d {name} dropped"), rows * outputs);
        (Dropout { mask, rows, width: outputs }, dropped)
    });
    r.tape.backward(|group| {
        let mut dy = y.gradient;
        if let Some((kernel, dropped)) = dropped {
            group.push(kernel, format!("{name} dropout gradient"), &[dy, dropped]);
            dy = dropped;
        }
        let ends = Ends { sums: bias, accumulate, ..Ends::default() };
        let product = MatMul::new(Layout::TN, outputs, inputs, rows).with(ends);
        let mut tensors = vec![dy, x.value, dweight];
        tensors.extend(dbias);
        group.push(product, format!("{name}.weight gradient"), &tensors);

        let activation = layer.input.map_or(ActivationEnd::None, |of| ActivationEnd::Backward(of.activation));
        let ends = Ends { activation, accumulate: layer.accumulate_input, ..Ends::default() };
        let product = MatMul::new(Layout::NN, rows, inputs, outputs).with(ends);
        let mut tensors = vec![dy, weight, x.gradient];
        if let Some(Nonlinearity { pre, gate, .. }) = layer.input {
            tensors.push(pre);
            tensors.extend(gate.into_iter().flat_map(|gate| [gate.value, gate.gradient]));
        }
        group.push(product, format!("{name} input gradient"), &tensors);
    });
}
