//! Adafactor: each tensor by itself, matrices with rows and columns of second moments, vectors with their own.

use super::Recorder;
use super::state::Arena;
use crate::kernels::optimizer::adafactor::{AdafactorApply, AdafactorColumns, AdafactorMeasure, AdafactorRows, Moment};
use crate::parameters::{Parameter, Parameters};

/// Every matrix is factored, however small; q, k and v lie in one.
fn moment(parameter: &Parameter) -> Moment {
    match parameter.shape[..] {
        [rows, columns] => Moment::Factored { rows, columns },
        _ => Moment::Whole { len: parameter.range.len() },
    }
}

pub(super) fn arenas(parameters: &Parameters) -> Vec<Arena> {
    let (matrices, vectors): (Vec<&Parameter>, Vec<&Parameter>) =
        parameters.list.iter().partition(|parameter| parameter.shape.len() == 2);
    let side = |name, axis: usize| {
        let sides = matrices.iter().map(|parameter| (*parameter, vec![parameter.shape[axis]]));
        Arena::shaped(name, false, sides)
    };
    vec![side("row", 0), side("column", 1), Arena::of("v", false, vectors.iter().copied())]
}

pub(super) fn record(r: &mut Recorder) {
    for parameter in &r.parameters.list {
        let (name, range, moment) = (&parameter.name, parameter.range.clone(), moment(parameter));
        let (control, gradients) = (r.state.control, r.gradients.slice(range.clone()));
        let weights = r.weights.slice(range.clone());
        let partials = r.tape.transient(format!("{name} squares"), moment.partials());
        let weight_decay = if range.start < r.parameters.decayed { r.settings.weight_decay } else { 0.0 };

        let mut kept = vec![];
        if let Moment::Factored { rows, columns } = moment {
            kept.extend(["row", "column"].map(|side| r.state.piece(side, false, parameter)));
            let kernel = AdafactorRows { rows, columns, alone: false };
            r.tape.push_last(kernel, format!("{name} rows"), &[control, gradients, kept[0]]);
            let kernel = AdafactorColumns { rows, columns };
            r.tape.push_last(kernel, format!("{name} columns"), &[control, gradients, kept[1]]);
        } else {
            kept.push(r.state.piece("v", false, parameter));
        }
        let with_kept = |tensors: [_; 4]| tensors.into_iter().chain(kept.iter().copied()).collect::<Vec<_>>();
        let tensors = with_kept([control, gradients, weights, partials]);
        r.tape.push_last(AdafactorMeasure(moment), format!("{name} update's size"), &tensors);
        let kernel = AdafactorApply { moment, weight_decay };
        r.tape.push_last(kernel, format!("{name} update"), &tensors);
    }
}
