//! The layers: each function records its forward ops and, beside them, its backward ones.
//!
//! Layers know shapes and names, kernels do the work, and nothing here knows a device.

mod block;
mod dropout;
mod embedding;
mod head;
mod linear;
mod norm;

pub use block::{Shares, block};
pub use dropout::dropout;
pub use embedding::embed;
pub use head::{logits, loss};
pub use linear::{Linear, Nonlinearity, linear};
pub use norm::norm;

use std::collections::BTreeMap;

use crate::kernels::embedding::EmbedShape;
use crate::parameters::Parameters;
use crate::tape::{Tape, Tensor};

/// An activation and the gradient of the loss with respect to it, of the same shape.
#[derive(Clone, Copy)]
pub struct Variable {
    pub value: Tensor,
    pub gradient: Tensor,
}

/// What layers record with: the tape, and where the parameters and a batch lie.
pub struct Recorder<'a> {
    pub tape: Tape,
    pub parameters: &'a Parameters,
    /// The parameters' arena.
    pub weights: Tensor,
    /// The gradients' arena; None records a forward pass alone.
    pub gradients: Option<Tensor>,
    /// Record one row's pass instead, that of the token at `step.position`: what came before it lies in caches.
    pub decodes: bool,
    pub batch: Batch,
    /// What the encoding knows of each position, for at least as many as the tape's context; see
    /// [`crate::kernels::position::Table`].
    pub positions: Option<Tensor>,
    /// The tape's batch, context, vocabulary and width.
    pub shape: EmbedShape,
    /// Where labels (B, T+1) that are drawn from the model go. The loss is then that of predicting them, instead of the
    /// batch's next tokens.
    pub labels: Option<Tensor>,
    /// Where margins (B·T) go: by how much the likeliest token's logit exceeds the target's.
    pub margins: Option<Tensor>,
    /// Rows whose mean loss is differentiated: those of the whole step, of which the tape's batch may be a part.
    pub rows_of_step: usize,
    /// Gradients and losses are added to those of the micro-batches before.
    pub accumulate: bool,
    /// Blocks keep nothing for their gradients but what goes into them, and are played again.
    pub checkpointing: bool,
    /// Largest tensor that may be made, in elements.
    pub largest: usize,
    /// Where activations go that are read after a forward pass, by their names; all others share memory.
    pub kept: BTreeMap<String, Tensor>,
}

/// A batch as uploaded; see [`crate::kernels::embedding`].
#[derive(Clone, Copy)]
pub struct Batch {
    /// (B, T+1)
    pub tokens: Tensor,
    /// (V+1)
    pub starts: Tensor,
    /// (B·T)
    pub order: Tensor,
    /// Where rows hold documents that do not see each other, or padding.
    pub packed: Option<Packed>,
}

/// What is uploaded beside the tokens of a packed batch; see [`crate::data::packing`].
#[derive(Clone, Copy)]
pub struct Packed {
    /// The first key that each query sees (B, T).
    pub first_keys: Tensor,
    /// What each row's loss counts for (B·T).
    pub weights: Tensor,
    /// Where each position of documents occurs, (T+1) and (B·T); where positions are trained.
    pub positions: Option<[Tensor; 2]>,
}

impl Batch {
    /// The part that a batch of this shape takes up: it may be of shorter sequences, and then of more of them.
    pub fn of(self, shape: EmbedShape) -> Self {
        let positions =
            |packed: Packed| packed.positions.map(|[starts, order]| [starts.slice(0..shape.context + 1), order]);
        Self {
            tokens: self.tokens.slice(0..shape.tokens_len()),
            packed: self.packed.map(|packed| Packed { positions: positions(packed), ..packed }),
            ..self
        }
    }
}

impl Recorder<'_> {
    pub fn weight(&self, name: &str) -> Tensor {
        self.weights.slice(self.parameters.get(name).range.clone())
    }

    /// The gradient of a parameter, while training.
    pub fn gradient(&self, name: &str) -> Tensor {
        let gradients = self.gradients.expect("only a training tape has gradients");
        gradients.slice(self.parameters.get(name).range.clone())
    }

    /// The table of an encoding that has one.
    pub fn table(&self) -> Tensor {
        self.positions.expect("the plan makes the tables that the encoding needs")
    }

    pub fn trains(&self) -> bool {
        self.gradients.is_some()
    }

    /// Rows of each activation: B·T, or the one that decoding is about.
    pub fn rows(&self) -> usize {
        if self.decodes { 1 } else { self.shape.rows() }
    }

    /// A new activation of (rows, `columns`).
    pub fn variable(&mut self, label: &str, columns: usize) -> Variable {
        let len = self.rows() * columns;
        if let Some(&value) = self.kept.get(label) {
            // Nothing asks for its gradient.
            return Variable { value, gradient: value };
        }
        Variable { value: self.tape.transient(label, len), gradient: self.tape.transient(format!("d {label}"), len) }
    }
}
