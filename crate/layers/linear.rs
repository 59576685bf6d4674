//! A linear layer, y = x Wᵀ + b, with what comes before and after it fused into its products.

use super::{Recorder, Variable};
use crate::config::Activation;
use crate::kernels::matmul::{ActivationEnd, Ends, Layout, MatMul};
use crate::tape::Tensor;

/// `x` (R, inputs) → (R, outputs), with the weight and bias named `{name}.weight`, `{name}.bias`.
pub struct Linear<'a> {
    pub name: &'a str,
    pub inputs: usize,
    pub outputs: usize,
    /// The input is act(pre): its gradient is carried through to pre.
    pub input_activation: Option<(Activation, Tensor)>,
    /// The output is act(pre), and pre is kept.
    pub output_activation: Option<(Activation, Tensor)>,
    /// Added to the output. Its gradient is the output's own, so nothing is recorded for it.
    pub residual: Option<Tensor>,
}

/// Records y = act(x Wᵀ + b) + residual into `y`.
///
/// Backward, from y's gradient (or that of its pre-activation):
/// dW = dyᵀ x,  db = Σ_rows dy,  dx = dy W · act′(pre of x).
pub fn linear(r: &mut Recorder, layer: &Linear, x: Variable, y: Variable) {
    let Linear { name, inputs, outputs, .. } = *layer;
    let rows = r.rows();
    let weight = r.weight(&format!("{name}.weight"));
    let bias = format!("{name}.bias");

    let ends = Ends {
        bias: true,
        activation: layer.output_activation.map_or(ActivationEnd::None, |(act, _)| ActivationEnd::Forward(act)),
        residual: layer.residual.is_some(),
        ..Ends::default()
    };
    let mut tensors = vec![x.value, weight, y.value, r.weight(&bias)];
    tensors.extend(layer.output_activation.map(|(_, pre)| pre));
    tensors.extend(layer.residual);
    r.tape.push(MatMul::new(Layout::NT, rows, outputs, inputs).with(ends), name, &tensors);

    if !r.trains() {
        return;
    }
    let accumulate = r.accumulate;
    let (dweight, dbias) = (r.gradient(&format!("{name}.weight")), r.gradient(&bias));
    r.tape.backward(|group| {
        let ends = Ends { sums: true, accumulate, ..Ends::default() };
        let product = MatMul::new(Layout::TN, outputs, inputs, rows).with(ends);
        group.push(product, format!("{name}.weight gradient"), &[y.gradient, x.value, dweight, dbias]);

        let activation = layer.input_activation.map_or(ActivationEnd::None, |(act, _)| ActivationEnd::Backward(act));
        let product = MatMul::new(Layout::NN, rows, inputs, outputs).with(Ends { activation, ..Ends::default() });
        let mut tensors = vec![y.gradient, weight, x.gradient];
        tensors.extend(layer.input_activation.map(|(_, pre)| pre));
        group.push(product, format!("{name} input gradient"), &tensors);
    });
}
