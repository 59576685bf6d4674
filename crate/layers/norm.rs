//! A norm before a branch, after it, or at the end of the residual stream.

use super::{Recorder, Variable};
use crate::config::ModelConfig;
use crate::kernels::norm::{NormBackward, NormForward};
use crate::tape::Tensor;

/// Records y = norm(x). Backward, dx is added to the gradient of the residual stream that x is a point of, or is all of
/// it where this norm `ends` the stream: nothing else reads x then.
///
/// `shares` takes the shares of the weight's (and bias's) gradient; the model sums them for all norms at once.
pub fn norm(
    r: &mut Recorder,
    model: &ModelConfig,
    name: &str,
    x: Variable,
    shares: Option<Tensor>,
    ends: bool,
) -> Variable {
    let (kind, bias) = (model.norm, model.norm_biases());
    let (rows, width) = (r.rows(), r.shape.width);
    let y = r.variable(name, width);
    let moments = r.tape.transient(format!("{name} moments"), rows * 2);
    let weight = r.weight(&format!("{name}.weight"));

    let mut tensors = vec![x.value, weight, y.value, moments];
    if bias {
        tensors.push(r.weight(&format!("{name}.bias")));
    }
    r.tape.push(NormForward { bias, ..NormForward::new(kind, rows, width) }, name, &tensors);

    if let Some(shares) = shares {
        r.tape.backward(|group| {
            let kernel = NormBackward { bias, ..NormBackward::new(kind, rows, width, !ends) };
            let tensors = [y.gradient, x.value, weight, moments, x.gradient, shares];
            group.push(kernel, format!("{name} gradient"), &tensors);
        });
    }
    y
}
