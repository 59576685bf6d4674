//! Gradient checkpointing (Chen et al. 2016, arXiv 1604.06174): a stretch of the forward pass leaves nothing to its
//! backward pass but what went into it, and is played once more just before that.
//!
//! The same kernels read the same numbers, dropout's masks among them, so that gradients are the same bits. Of what is
//! played again, ops whose results nothing reads are left out: of a transformer block, its last product.

use std::collections::{BTreeMap, BTreeSet};

use super::{BufferId, Op, Tape, Tensor};
use crate::kernels::Access;

/// A place in what a tape has recorded.
#[derive(Clone, Copy)]
pub struct Mark {
    forward: usize,
    backward: usize,
}

impl Tape {
    /// Where a stretch begins that [`Self::recompute`] may end.
    pub fn mark(&self) -> Mark {
        Mark { forward: self.forward.len(), backward: self.backward.len() }
    }

    /// What was recorded since `mark` is played again before its gradients, into tensors of its own: those of the forward
    /// pass live no longer than that needs them.
    pub fn recompute(&mut self, mark: Mark) {
        let mut backward: Vec<Op> = self.backward.split_off(mark.backward).into_iter().rev().flatten().collect();
        let mut again = self.forward[mark.forward..].to_vec();
        let copies = self.copy_what_is_written(&again);
        for tensor in again.iter_mut().chain(&mut backward).flat_map(|op| &mut op.tensors) {
            if let Some(copy) = transient(tensor).and_then(|i| copies.get(&i)) {
                tensor.buffer = BufferId::Transient(*copy);
            }
        }
        let mut group = needed(again, &backward);
        group.extend(backward);
        self.backward.push(group);
    }

    /// A new transient for each that the ops write, by the old one.
    fn copy_what_is_written(&mut self, ops: &[Op]) -> BTreeMap<usize, usize> {
        let mut copies = BTreeMap::new();
        for op in ops {
            for (binding, tensor) in op.kernel.bindings().iter().zip(&op.tensors) {
                let own = transient(tensor).filter(|&i| !self.transients[i].kept);
                match (binding.access, own) {
                    (Access::Read, _) => {}
                    (Access::Write, Some(i)) if !copies.contains_key(&i) => {
                        self.transients.push(self.transients[i].clone());
                        copies.insert(i, self.transients.len() - 1);
                    }
                    (_, Some(i)) if copies.contains_key(&i) => {}
                    _ => panic!("{}: what plays twice writes nothing but what is its own", op.label),
                }
            }
        }
        copies
    }
}

/// Those of `again` whose results are read by later ones of them or by `backward`.
fn needed(again: Vec<Op>, backward: &[Op]) -> Vec<Op> {
    let reads = |op: &Op| {
        let accesses = op.kernel.bindings().into_iter().map(|binding| binding.access).zip(&op.tensors);
        accesses.filter(|&(access, _)| access != Access::Write).filter_map(|(_, tensor)| transient(tensor)).collect()
    };
    let mut read: BTreeSet<usize> = backward.iter().flat_map(|op| -> Vec<usize> { reads(op) }).collect();
    let mut kept = vec![];
    for op in again.into_iter().rev() {
        let accesses = op.kernel.bindings().into_iter().map(|binding| binding.access).zip(&op.tensors);
        let mut written = accesses.filter(|&(access, _)| access != Access::Read);
        if written.any(|(_, tensor)| transient(tensor).is_some_and(|i| read.contains(&i))) {
            read.extend(reads(&op));
            kept.push(op);
        }
    }
    kept.reverse();
    kept
}

fn transient(tensor: &Tensor) -> Option<usize> {
    match tensor.buffer {
        BufferId::Transient(i) => Some(i),
        BufferId::Placed(_) => None,
    }
}
