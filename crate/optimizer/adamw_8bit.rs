//! AdamW with 8-bit moments: each large tensor by itself, for its blocks begin with it; small ones in 32 bits.

use super::Recorder;
use super::state::{Arena, runs};
use crate::kernels::optimizer::adamw_8bit::AdamW8bit;
use crate::parameters::{Parameter, Parameters};

/// Smaller tensors keep moments of 32 bits, as in the authors' code: little would be saved.
const SMALLEST: usize = 4096;

fn is_large(parameter: &Parameter) -> bool {
    parameter.range.len() >= SMALLEST
}

/// Codes and a scale for each block of large tensors; m and v of the others.
pub(super) fn arenas(parameters: &Parameters) -> Vec<Arena> {
    let (large, small): (Vec<&Parameter>, Vec<&Parameter>) =
        parameters.list.iter().partition(|parameter| is_large(parameter));
    let blocks = |parameter: &&'_ Parameter| vec![AdamW8bit::blocks(parameter.range.len())];
    let mut arenas = vec![];
    for name in ["m", "v"] {
        arenas.push(Arena::of(name, true, large.iter().copied()));
        arenas.push(Arena::of(name, false, small.iter().copied()));
    }
    for name in ["m_scale", "v_scale"] {
        arenas.push(Arena::shaped(name, false, large.iter().map(|parameter| (*parameter, blocks(parameter)))));
    }
    arenas
}

pub(super) fn record(r: &mut Recorder) {
    for parameter in r.parameters.list.iter().filter(|parameter| is_large(parameter)) {
        let range = parameter.range.clone();
        let decays = range.start < r.parameters.decayed;
        let kernel = AdamW8bit { len: range.len(), decays, settings: r.settings.clone() };
        let tensors = [
            r.state.control,
            r.gradients.slice(range.clone()),
            r.weights.slice(range),
            r.state.piece("m", true, parameter),
            r.state.piece("v", true, parameter),
            r.state.piece("m_scale", false, parameter),
            r.state.piece("v_scale", false, parameter),
        ];
        r.tape.push_last(kernel, format!("{} update", parameter.name), &tensors);
    }
    r.update_rest(&runs(r.parameters, |parameter| !is_large(parameter)));
}
