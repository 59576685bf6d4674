//! What a pass reads, on its way to the device.

use super::Pass;
use crate::data::Part;
use crate::engine::Engine;
use crate::kernels::embedding::{EmbedShape, TokenIndex};

/// Sorts what the passes of one length read, and uploads it.
pub struct Uploader {
    tokens: TokenIndex,
    /// Where each position occurs in rows that hold several documents.
    positions: TokenIndex,
}

impl Uploader {
    pub fn new(shape: EmbedShape) -> Self {
        Self { tokens: TokenIndex::new(shape), positions: TokenIndex::of_positions(shape) }
    }

    /// Uploads a micro-batch, in order with what is played before and after.
    pub fn upload(&mut self, engine: &mut Engine, pass: &Pass, part: Part<'_>) {
        let Pass { shape, batch, .. } = *pass;
        self.tokens.fill(shape, part.tokens);
        engine.write_ids(batch.tokens, part.tokens);
        engine.write_ids(batch.starts, &self.tokens.starts);
        engine.write_ids(batch.order, &self.tokens.order);
        let Some(packed) = batch.packed else { return };
        engine.write_ids(packed.first_keys, part.first_keys);
        engine.write(packed.weights, part.weights);
        if let Some([starts, order]) = packed.positions {
            self.positions.fill_positions(shape, part.first_keys);
            engine.write_ids(starts, &self.positions.starts);
            engine.write_ids(order, &self.positions.order);
        }
    }
}
