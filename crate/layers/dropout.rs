//! Dropout by itself: where no product is there to fuse it into.

use super::{Recorder, Variable};
use crate::config::ModelConfig;
use crate::kernels::dropout::{Dropout, Mask};

impl Recorder<'_> {
    /// What is dropped at a site of the model, while training: 0 after the embedding, then each branch its own.
    pub fn mask(&self, model: &ModelConfig, site: u32) -> Option<Mask> {
        if self.trains() { Mask::new(site, model.dropout) } else { None }
    }
}

/// Records y = dropout(x), x (R, C); backward dx = dropout(dy), with the same mask.
pub fn dropout(r: &mut Recorder, model: &ModelConfig, name: &str, x: Variable, site: u32) -> Variable {
    let Some(mask) = r.mask(model, site) else { return x };
    let kernel = Dropout { mask, rows: r.rows(), width: r.shape.width };
    let y = r.variable(name, r.shape.width);
    r.tape.push(kernel.clone(), name, &[x.value, y.value]);
    r.tape.backward(|group| group.push(kernel, format!("{name} gradient"), &[y.gradient, x.gradient]));
    y
}
