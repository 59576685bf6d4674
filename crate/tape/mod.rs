//! The tape: a step's work, recorded once and replayed every step, on either device.
//!
//! A layer function records its forward dispatches with [`Tape::push`] and, beside them, its backward ones inside
//! [`Tape::backward`]; the backward groups play in the reverse order of their recording, after all of the forward.
//! Nothing here knows wgpu: an [`Op`] is a kernel and the tensors it is bound to.

mod memory;
mod recompute;

use std::ops::Range;

pub use memory::{BufferSpec, Buffers, Purpose};
pub use recompute::Mark;

use crate::kernels::{Access, Kernel};

/// Every tensor starts at a multiple of this many elements: WebGPU wants 256-byte offsets.
pub const ALIGNMENT: usize = 64;

/// `len` rounded up to where the next tensor may start.
pub fn aligned(len: usize) -> usize {
    len.next_multiple_of(ALIGNMENT)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BufferId {
    /// A buffer of the run, an index into [`Buffers`].
    Placed(usize),
    /// A tensor of one tape; `finish` places it.
    Transient(usize),
}

/// A range of 4-byte elements in a buffer. Its shape is known to the kernels that it is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tensor {
    pub buffer: BufferId,
    pub offset: usize,
    pub len: usize,
}

impl Tensor {
    /// The elements `range` of this tensor.
    pub fn slice(self, range: Range<usize>) -> Self {
        assert!(range.end <= self.len, "a slice ends at {} of {}", range.end, self.len);
        Self { buffer: self.buffer, offset: self.offset + range.start, len: range.len() }
    }

    pub fn range(self) -> Range<usize> {
        self.offset..self.offset + self.len
    }

    fn overlaps(self, other: Self) -> bool {
        self.buffer == other.buffer && self.offset < other.offset + other.len && other.offset < self.offset + self.len
    }
}

/// One dispatch: a kernel bound to tensors, in the order of [`Kernel::bindings`].
#[derive(Clone, Debug)]
pub struct Op {
    pub kernel: Kernel,
    pub tensors: Vec<Tensor>,
    /// What it computes, in the names of the model: `blocks.2.mlp.up`.
    pub label: String,
}

#[derive(Default)]
pub struct Tape {
    forward: Vec<Op>,
    backward: Vec<Vec<Op>>,
    last: Vec<Op>,
    /// What plays before, and how often what is recorded now plays after it; see [`Self::repeat`].
    before: Vec<Op>,
    times: Option<usize>,
    transients: Vec<Transient>,
}

#[derive(Clone, Debug)]
struct Transient {
    label: String,
    len: usize,
    /// Has a buffer to itself.
    kept: bool,
}

/// A tape that is ready to be played: every tensor is placed, every op checked.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    pub ops: Vec<Op>,
    /// Of them, those that play `times` times: a step's micro-batches after the first.
    again: Range<usize>,
    times: usize,
    /// How many at the end follow the whole batch.
    last: usize,
}

impl Recording {
    /// Ops that play once each.
    pub fn of(ops: Vec<Op>) -> Self {
        Self { ops, ..Self::default() }
    }

    /// What plays without a new upload in between: one range a micro-batch, the last up to the end of the ops.
    pub fn rounds(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (again, times, end) = (self.again.clone(), self.times, self.ops.len());
        (0..=times).map(move |round| {
            let from = if round == 0 { 0 } else { again.start };
            let to = if round == 0 { again.start } else { again.end };
            from..if round == times { end } else { to }
        })
    }

    /// The part that makes the gradients of a step, its rounds included.
    pub fn gradients(&self) -> Self {
        let ops = self.ops[..self.ops.len() - self.last].to_vec();
        Self { ops, again: self.again.clone(), times: self.times, last: 0 }
    }

    /// The part that follows them.
    pub fn end(&self) -> Self {
        Self::of(self.ops[self.ops.len() - self.last..].to_vec())
    }

    /// How many ops [`Self::end`] has.
    pub fn end_len(&self) -> usize {
        self.last
    }

    /// How often the op at `index` plays.
    pub fn times(&self, index: usize) -> usize {
        if self.again.contains(&index) { self.times } else { 1 }
    }

    /// Kernels started when all of it plays.
    pub fn dispatches(&self) -> usize {
        self.ops.len() + self.again.len() * self.times.saturating_sub(1)
    }

    pub fn flops(&self) -> u64 {
        self.ops.iter().enumerate().map(|(i, op)| op.kernel.flops() * self.times(i) as u64).sum()
    }
}

impl Tape {
    pub fn new() -> Self {
        Self::default()
    }

    /// A tensor of `len` elements that lives from the first op that writes it to the last that reads it.
    pub fn transient(&mut self, label: impl Into<String>, len: usize) -> Tensor {
        self.add(Transient { label: label.into(), len, kept: false })
    }

    /// A tensor that begins as zeros and that the next replay finds as this one left it.
    pub fn keep(&mut self, label: impl Into<String>, len: usize) -> Tensor {
        self.add(Transient { label: label.into(), len, kept: true })
    }

    fn add(&mut self, transient: Transient) -> Tensor {
        let len = transient.len;
        self.transients.push(transient);
        Tensor { buffer: BufferId::Transient(self.transients.len() - 1), offset: 0, len }
    }

    /// Forward ops so far.
    pub fn forward_len(&self) -> usize {
        self.forward.len()
    }

    pub fn push(&mut self, kernel: impl Into<Kernel>, label: impl Into<String>, tensors: &[Tensor]) {
        self.forward.push(op(kernel.into(), label.into(), tensors));
    }

    /// Records the gradient of what was just pushed. Groups play in reverse order.
    pub fn backward(&mut self, record: impl FnOnce(&mut Group)) {
        let mut group = Group { ops: Vec::new() };
        record(&mut group);
        self.backward.push(group.ops);
    }

    /// What was recorded so far, forward and backward, plays once; what is recorded from here on plays `times` times after
    /// it; what comes last, once after that. Called once at most.
    pub fn repeat(&mut self, times: usize) {
        assert!(self.times.is_none() && times > 0, "a tape repeats one part of itself");
        self.before = self.pass();
        self.times = Some(times);
    }

    fn pass(&mut self) -> Vec<Op> {
        let forward = std::mem::take(&mut self.forward);
        let backward = std::mem::take(&mut self.backward);
        forward.into_iter().chain(backward.into_iter().rev().flatten()).collect()
    }

    /// Records what comes after the whole backward pass: clipping, the update.
    pub fn push_last(&mut self, kernel: impl Into<Kernel>, label: impl Into<String>, tensors: &[Tensor]) {
        self.last.push(op(kernel.into(), label.into(), tensors));
    }

    /// Orders the ops and places the transients in `buffers`, sharing memory between those that never live at once.
    pub fn finish(mut self, buffers: &mut Buffers) -> Recording {
        let pass = self.pass();
        let mut ops = self.before;
        let again = if self.times.is_some() { ops.len()..ops.len() + pass.len() } else { 0..0 };
        ops.extend(pass);
        let last = self.last.len();
        ops.extend(self.last);
        memory::place(&mut ops, &self.transients, &again, buffers);
        Recording { ops, again, times: self.times.unwrap_or(0), last }
    }
}

/// The backward ops of one layer, in the order in which they play.
pub struct Group {
    ops: Vec<Op>,
}

impl Group {
    pub fn push(&mut self, kernel: impl Into<Kernel>, label: impl Into<String>, tensors: &[Tensor]) {
        self.ops.push(op(kernel.into(), label.into(), tensors));
    }
}

/// Checks an op at the door: the number of tensors, their lengths, their alignment, and that what it writes overlaps
/// nothing else it is bound to. A mistake here is a mistake in a layer, so it panics.
fn op(kernel: Kernel, label: String, tensors: &[Tensor]) -> Op {
    let bindings = kernel.bindings();
    assert_eq!(bindings.len(), tensors.len(), "{label}: {} takes {} tensors", kernel.name(), bindings.len());
    for (i, (binding, tensor)) in bindings.iter().zip(tensors).enumerate() {
        assert_eq!(binding.len, tensor.len, "{label}: length of `{}` in {}", binding.name, kernel.name());
        assert_eq!(tensor.offset % ALIGNMENT, 0, "{label}: offset of `{}`", binding.name);
        for (other_binding, other) in bindings.iter().zip(tensors).skip(i + 1) {
            let writes = binding.access != Access::Read || other_binding.access != Access::Read;
            assert!(
                !(writes && tensor.overlaps(*other)),
                "{label}: `{}` and `{}` overlap",
                binding.name,
                other_binding.name
            );
        }
    }
    Op { kernel, tensors: tensors.to_vec(), label }
}
