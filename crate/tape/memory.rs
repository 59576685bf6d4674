//! The buffers of a run, and where a tape's transient tensors live in them.

use std::ops::Range;

use super::{BufferId, Op, Tensor, Transient};
use crate::kernels::Access;
use crate::kernels::position::Table;

/// What a buffer is for; the plan adds up bytes by purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    Parameters,
    Gradients,
    Optimizer,
    /// Everything a step computes on the way: activations, their gradients, workspace.
    Activations,
    /// The keys and values that sampling keeps.
    Cache,
    /// Tokens and tables in, metrics out.
    Traffic,
}

#[derive(Clone, Debug)]
pub struct BufferSpec {
    pub label: String,
    pub purpose: Purpose,
    /// Number of 4-byte elements.
    pub len: usize,
    /// What it holds from the beginning, and keeps; zeros where there is none.
    pub table: Option<Table>,
}

/// All that a run allocates, planned before anything is allocated.
#[derive(Default, Debug)]
pub struct Buffers {
    pub specs: Vec<BufferSpec>,
}

impl Buffers {
    /// Plans a buffer that lives as long as the run.
    pub fn add(&mut self, label: impl Into<String>, purpose: Purpose, len: usize) -> Tensor {
        self.specs.push(BufferSpec { label: label.into(), purpose, len, table: None });
        Tensor { buffer: BufferId::Placed(self.specs.len() - 1), offset: 0, len }
    }

    /// Plans a buffer that engines fill as they allocate it.
    pub fn add_table(&mut self, label: impl Into<String>, table: Table) -> Tensor {
        let len = table.elements();
        self.specs.push(BufferSpec { label: label.into(), purpose: Purpose::Traffic, len, table: Some(table) });
        Tensor { buffer: BufferId::Placed(self.specs.len() - 1), offset: 0, len }
    }

    pub fn bytes(&self, purpose: Purpose) -> u64 {
        self.specs.iter().filter(|spec| spec.purpose == purpose).map(|spec| spec.len as u64 * 4).sum()
    }
}

/// Places each transient in a buffer of the pool that is free from its first use to its last, best fit first.
///
/// The pool is every activation buffer there is, those of tapes finished before included: two tapes of a run never
/// play at once. A buffer holds one tensor at a time and is never split, so that no dispatch sees one buffer as
/// read-only and read-write (WebGPU forbids it, whatever the ranges).
///
/// `again` plays several times: what was written before it must not be read in it, for its place may be taken by then.
pub(super) fn place(ops: &mut [Op], transients: &[Transient], again: &Range<usize>, buffers: &mut Buffers) {
    let mut lives = vec![None; transients.len()];
    for (at, op) in ops.iter().enumerate() {
        let accesses = op.kernel.bindings().into_iter().map(|binding| binding.access);
        for (tensor, access) in op.tensors.iter().zip(accesses) {
            if let BufferId::Transient(i) = tensor.buffer {
                let written = lives[i].is_some() || access == Access::Write || transients[i].kept;
                assert!(written, "{}: reads what nothing wrote", op.label);
                let first = lives[i].map_or(at, |(first, _)| first);
                assert!(first >= again.start || !again.contains(&at), "{}: what it reads may be gone", op.label);
                lives[i] = Some((first, at));
            }
        }
    }

    // (buffer, last op that uses what it holds)
    let mut pool: Vec<(usize, Option<usize>)> = (0..buffers.specs.len())
        .filter(|&i| buffers.specs[i].purpose == Purpose::Activations)
        .map(|i| (i, None))
        .collect();
    let (kept, mut order): (Vec<usize>, Vec<usize>) =
        (0..transients.len()).filter(|&i| lives[i].is_some()).partition(|&i| transients[i].kept);
    order.sort_by_key(|&i| lives[i]);

    let mut places = vec![usize::MAX; transients.len()];
    for i in kept {
        buffers.add(transients[i].label.clone(), Purpose::Cache, transients[i].len);
        places[i] = buffers.specs.len() - 1;
    }
    for i in order {
        let (first, last) = lives[i].expect("only used transients are ordered");
        let len = transients[i].len;
        let size = |buffer: usize| buffers.specs[buffer].len;
        let fit = pool
            .iter_mut()
            .filter(|(buffer, busy)| busy.is_none_or(|until| until < first) && size(*buffer) >= len)
            // Half-empty buffers are left for tensors that fill them.
            .filter(|(buffer, _)| size(*buffer) <= len.saturating_mul(2))
            .min_by_key(|(buffer, _)| size(*buffer));
        places[i] = match fit {
            Some((buffer, busy)) => {
                *busy = Some(last);
                *buffer
            }
            None => {
                buffers.add(transients[i].label.clone(), Purpose::Activations, len);
                pool.push((buffers.specs.len() - 1, Some(last)));
                buffers.specs.len() - 1
            }
        };
    }

    for tensor in ops.iter_mut().flat_map(|op| &mut op.tensors) {
        if let BufferId::Transient(i) = tensor.buffer {
            tensor.buffer = BufferId::Placed(places[i]);
        }
    }
}
