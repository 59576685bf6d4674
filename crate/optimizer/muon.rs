//! Muon for the matrices inside blocks, AdamW for the rest: embeddings, head, biases, gains.

use super::Recorder;
use super::state::{Arena, runs};
use crate::kernels::matmul::{Layout, MatMul};
use crate::kernels::optimizer::muon::{MuonApply, MuonMomentum, Normalise, Part, Polynomial, STEPS};
use crate::parameters::{Parameter, Parameters};
use crate::tape::{Tape, Tensor, aligned};

fn is_hidden(parameter: &Parameter) -> bool {
    parameter.shape.len() == 2 && parameter.name.starts_with("blocks.")
}

pub(super) fn arenas(parameters: &Parameters) -> Vec<Arena> {
    let (hidden, rest): (Vec<&Parameter>, Vec<&Parameter>) =
        parameters.list.iter().partition(|parameter| is_hidden(parameter));
    vec![
        Arena::of("momentum", false, hidden.iter().copied()),
        Arena::of("m", false, rest.iter().copied()),
        Arena::of("v", false, rest.iter().copied()),
    ]
}

/// The matrices that a parameter holds: (rows, columns) each, one below the other.
///
/// q, k and v are three maps that happen to be stored as one. Made orthogonal together they would share their singular
/// values: a large gradient of one would take from the others, and which rows are q's means nothing to the whole.
fn matrices(parameter: &Parameter) -> Vec<[usize; 2]> {
    let [rows, columns] = parameter.shape[..] else { panic!("{} is no matrix", parameter.name) };
    if parameter.name.ends_with(".attn.qkv.weight") {
        let keys = (rows - columns) / 2;
        vec![[columns, columns], [keys, columns], [keys, columns]]
    } else {
        vec![[rows, columns]]
    }
}

/// A matrix on its way to an update.
struct Matrix<'a> {
    parameter: &'a Parameter,
    label: String,
    part: Part,
    rows: usize,
    columns: usize,
}

pub(super) fn record(r: &mut Recorder) {
    let mut all = vec![];
    for parameter in r.parameters.list.iter().filter(|parameter| is_hidden(parameter)) {
        let (mut first, matrices) = (0, matrices(parameter));
        for (i, &[rows, columns]) in matrices.iter().enumerate() {
            let part = Part { of: parameter.range.len(), first, len: rows * columns };
            let which = if matrices.len() > 1 { ["q", "k", "v"][i] } else { "" };
            let label = format!("{} {which}", parameter.name).trim_end().to_owned();
            all.push(Matrix { parameter, label, part, rows, columns });
            first += part.len;
        }
    }
    // Those with Gram matrices of one size go through the iteration side by side.
    let side = |matrix: &Matrix| matrix.rows.min(matrix.columns);
    let mut sides: Vec<usize> = all.iter().map(side).collect();
    sides.sort_unstable();
    sides.dedup();
    for of_side in sides {
        let group: Vec<&Matrix> = all.iter().filter(|matrix| side(matrix) == of_side).collect();
        update(r, &group, of_side);
    }
    r.update_rest(&runs(r.parameters, |parameter| !is_hidden(parameter)));
}

/// Records the update of matrices whose smaller side is `side`.
fn update(r: &mut Recorder, group: &[&Matrix], side: usize) {
    let lens: Vec<usize> = group.iter().map(|matrix| matrix.part.len).collect();
    let [u, mut x] = ["u", "x"].map(|label| places(r.tape, label, &lens));
    for (i, matrix) in group.iter().enumerate() {
        let (name, part) = (&matrix.label, matrix.part);
        let partials = r.tape.transient(format!("{name} norm"), part.partials());
        let range = matrix.parameter.range.clone();
        let momentum = r.state.piece("momentum", false, matrix.parameter);
        let kernel = MuonMomentum { part, momentum: r.settings.momentum, nesterov: r.settings.nesterov };
        let tensors = [r.state.control, r.gradients.slice(range), momentum, u[i], partials];
        r.tape.push_last(kernel, format!("{name} momentum"), &tensors);
        let kernel = Normalise { len: part.len, partials: part.partials() };
        r.tape.push_last(kernel, format!("{name} to norm 1"), &[u[i], partials, x[i]]);
    }
    // From here on u is where the next x goes.
    let mut next = u;
    for _ in 0..STEPS {
        newton_schulz(r.tape, group, side, &x, &next);
        std::mem::swap(&mut x, &mut next);
    }
    for (matrix, &x) in group.iter().zip(&x) {
        let scale = MuonApply::scale(matrix.rows, matrix.columns);
        let kernel = MuonApply { part: matrix.part, scale, weight_decay: r.settings.weight_decay };
        let weights = r.weights.slice(matrix.parameter.range.clone());
        r.tape.push_last(kernel, format!("{} update", matrix.label), &[r.state.control, x, weights]);
    }
}

/// next = (a I + b A + c A²) x with A = x xᵀ, or x (a I + b A + c A²) with A = xᵀ x: whichever A is smaller.
fn newton_schulz(tape: &mut Tape, group: &[&Matrix], side: usize, x: &[Tensor], next: &[Tensor]) {
    let stride = aligned(side * side);
    let [gram, square] = ["gram", "gram²"].map(|label| tape.transient(label, group.len() * stride));
    let at = |tensor: Tensor, i: usize| tensor.slice(i * stride..i * stride + side * side);
    let label = |matrix: &Matrix, what: &str| format!("{} {what}", matrix.label);
    for (i, matrix) in group.iter().enumerate() {
        let tall = matrix.rows > matrix.columns;
        let layout = if tall { Layout::TN } else { Layout::NT };
        let product = MatMul::new(layout, side, side, matrix.rows.max(matrix.columns));
        tape.push_last(product, label(matrix, "gram"), &[x[i], x[i], at(gram, i)]);
        let product = MatMul::new(Layout::NN, side, side, side);
        tape.push_last(product, label(matrix, "gram²"), &[at(gram, i), at(gram, i), at(square, i)]);
    }
    tape.push_last(Polynomial { count: group.len(), side, stride }, "polynomial", &[gram, square]);
    for (i, matrix) in group.iter().enumerate() {
        let polynomial = at(square, i);
        let tall = matrix.rows > matrix.columns;
        let (left, right) = if tall { (x[i], polynomial) } else { (polynomial, x[i]) };
        let product = MatMul::new(Layout::NN, matrix.rows, matrix.columns, side);
        tape.push_last(product, label(matrix, "step"), &[left, right, next[i]]);
    }
}

/// A tensor for each of some lengths, in one buffer.
fn places(tape: &mut Tape, label: &str, lens: &[usize]) -> Vec<Tensor> {
    let all = tape.transient(label, lens.iter().map(|&len| aligned(len)).sum());
    let mut first = 0;
    let mut place = |&len: &usize| {
        first += aligned(len);
        all.slice(first - aligned(len)..first - aligned(len) + len)
    };
    lens.iter().map(&mut place).collect()
}
