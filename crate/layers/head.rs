//! The output head and the loss, in chunks of rows where the logits of a large vocabulary would not fit.

use super::{Recorder, Variable};
use crate::config::Config;
use crate::kernels::cross_entropy::CrossEntropy;
use crate::kernels::embedding::EmbedShape;
use crate::kernels::matmul::{Ends, Layout, MatMul};
use crate::kernels::optimizer::curvature::DrawLabels;
use crate::kernels::soft_cap::SoftCap;
use crate::tape::{ALIGNMENT, Tensor};

/// The weight that the head uses: its own, or the token embedding's where they are tied.
fn weight_name(tied: bool) -> &'static str {
    if tied { "tok_emb.weight" } else { "head.weight" }
}

/// Records logits (rows, V) = x Wᵀ. What reads them caps them, where the model does.
pub fn logits(r: &mut Recorder, x: Tensor, tied: bool) -> Tensor {
    let (rows, vocabulary, width) = (r.rows(), r.shape.vocabulary, r.shape.width);
    let logits = r.tape.transient("logits", rows * vocabulary);
    let weight = r.weight(weight_name(tied));
    r.tape.push(MatMul::new(Layout::NT, rows, vocabulary, width), "head", &[x, weight, logits]);
    logits
}

/// Records the loss of each row, in nats, into `losses` (B·T), and the margins where they are wanted.
///
/// While training, each chunk's logits turn into their gradient in place and are used up at once, before the next
/// chunk overwrites them: dW = dlogitsᵀ x and dx = dlogits W. This is why they stand in the forward part of the tape.
pub fn loss(r: &mut Recorder, config: &Config, x: Variable, losses: Tensor) {
    let tied = config.model.tied_head;
    let (rows, vocabulary, width) = (r.shape.rows(), r.shape.vocabulary, r.shape.width);
    let chunk = (r.largest / vocabulary).min(rows);
    let chunk = if chunk < rows { (chunk / ALIGNMENT * ALIGNMENT).max(ALIGNMENT) } else { chunk };
    let weight = r.weight(weight_name(tied));
    let gradient = r.trains().then(|| r.gradient(weight_name(tied)));
    let logits = r.tape.transient("logits", chunk * vocabulary);
    let soft_cap = SoftCap::new(config.model.logit_soft_cap);
    // The curvature is that of the model's own distribution: on drawn labels the loss is the plain one.
    let [label_smoothing, z_loss] = match r.labels {
        None => [config.training.label_smoothing, config.training.z_loss],
        Some(_) => [0.0; 2],
    };

    for first_row in (0..rows).step_by(chunk) {
        let chunk = chunk.min(rows - first_row);
        let of_chunk = |tensor: Tensor| tensor.slice(first_row * width..(first_row + chunk) * width);
        let logits = logits.slice(0..chunk * vocabulary);
        let x_value = of_chunk(x.value);
        r.tape.push(MatMul::new(Layout::NT, chunk, vocabulary, width), "head", &[x_value, weight, logits]);

        let mut targets = r.batch.tokens;
        if let Some(labels) = r.labels {
            let EmbedShape { batch, context, .. } = r.shape;
            let kernel = DrawLabels { batch, context, vocabulary, soft_cap, first_row, rows: chunk, alone: false };
            r.tape.push(kernel, "labels", &[logits, labels]);
            targets = labels;
        }
        let weights = r.batch.packed.map(|packed| packed.weights).filter(|_| gradient.is_some());
        let kernel = CrossEntropy {
            batch: r.shape.batch,
            context: r.shape.context,
            vocabulary,
            first_row,
            rows: chunk,
            gradient_scale: gradient.map(|_| 1.0 / r.rows_of_step as f32),
            label_smoothing,
            z_loss,
            soft_cap,
            weights: weights.is_some(),
            accumulate: r.accumulate,
            margins: r.margins.is_some(),
            alone: false,
        };
        let of_rows = |tensor: Tensor| tensor.slice(first_row..first_row + chunk);
        let mut tensors = vec![targets, logits, of_rows(losses)];
        tensors.extend(r.margins.map(of_rows));
        tensors.extend(weights.map(of_rows));
        r.tape.push(kernel, "cross-entropy", &tensors);

        if let Some(dweight) = gradient {
            let ends = Ends { accumulate: r.accumulate || first_row > 0, ..Ends::default() };
            let product = MatMul::new(Layout::TN, vocabulary, width, chunk).with(ends);
            r.tape.push(product, "head weight gradient", &[logits, x_value, dweight]);
            let product = MatMul::new(Layout::NN, chunk, width, vocabulary);
            r.tape.push(product, "head input gradient", &[logits, weight, of_chunk(x.gradient)]);
        }
    }
}
