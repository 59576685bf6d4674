//! The CPU device: the same recordings, op by op, through the kernels' twins. In f32 it trains on any machine;
//! in f64 it is the oracle of whole steps.

use crate::engine::ProgramId;
use crate::kernels::position::Table;
use crate::kernels::{Access, Arg, Args, Element, Kernel, Step};
use crate::real::Real;
use crate::tape::{BufferId, Buffers, Op, Recording, Tensor};

pub struct CpuEngine<R> {
    buffers: Vec<Vec<R>>,
    /// Token ids live beside the numbers, for R may be f64. A buffer has the one or the other, on first use.
    ids: Vec<Vec<u32>>,
    lens: Vec<usize>,
    programs: Vec<Recording>,
}

impl<R: Real> CpuEngine<R> {
    /// Allocates `buffers`; they start as zeros, tables as what they hold.
    pub fn new(buffers: &Buffers) -> Self {
        let lens: Vec<usize> = buffers.specs.iter().map(|spec| spec.len).collect();
        let numbers = |table: &Table| table.values().into_iter().map(R::of).collect();
        let tables = buffers.specs.iter().map(|spec| spec.table.as_ref().map(numbers).unwrap_or_default());
        Self { buffers: tables.collect(), ids: vec![vec![]; lens.len()], lens, programs: vec![] }
    }

    pub fn add(&mut self, recording: &Recording) -> ProgramId {
        for op in &recording.ops {
            for (tensor, is_ids) in op.tensors.iter().zip(ids_of(&op.kernel)) {
                let at = place(*tensor);
                if is_ids {
                    allocate(&mut self.ids[at], self.lens[at], 0);
                } else {
                    allocate(&mut self.buffers[at], self.lens[at], R::ZERO);
                }
            }
        }
        self.programs.push(recording.clone());
        self.programs.len() - 1
    }

    /// What the buffers hold, by their own word.
    pub fn allocated_bytes(&self) -> u64 {
        let numbers: usize = self.buffers.iter().map(|buffer| buffer.capacity() * size_of::<R>()).sum();
        let ids: usize = self.ids.iter().map(|ids| ids.capacity() * size_of::<u32>()).sum();
        (numbers + ids) as u64
    }

    pub fn write(&mut self, tensor: Tensor, data: &[f32]) {
        let at = place(tensor);
        allocate(&mut self.buffers[at], self.lens[at], R::ZERO);
        for (to, &from) in self.buffers[at][tensor.range()].iter_mut().zip(data) {
            *to = R::of(from.into());
        }
    }

    pub fn write_exact(&mut self, tensor: Tensor, data: &[R]) {
        let at = place(tensor);
        allocate(&mut self.buffers[at], self.lens[at], R::ZERO);
        self.buffers[at][tensor.range()][..data.len()].copy_from_slice(data);
    }

    pub fn write_ids(&mut self, tensor: Tensor, data: &[u32]) {
        let at = place(tensor);
        allocate(&mut self.ids[at], self.lens[at], 0);
        self.ids[at][tensor.range()][..data.len()].copy_from_slice(data);
    }

    pub fn read(&self, tensor: Tensor) -> &[R] {
        &self.buffers[place(tensor)][tensor.range()]
    }

    pub fn read_ids(&self, tensor: Tensor) -> &[u32] {
        &self.ids[place(tensor)][tensor.range()]
    }

    /// Runs some of a program's ops, one after the other, to their end.
    pub fn run(&mut self, program: ProgramId, ops: std::ops::Range<usize>, step: &Step) {
        let recording = std::mem::take(&mut self.programs[program]);
        for op in &recording.ops[ops] {
            self.run_op(op, step);
        }
        self.programs[program] = recording;
    }

    fn run_op(&mut self, op: &Op, step: &Step) {
        // The buffers in use are taken out of the table, so that their disjoint ranges can be borrowed side by side.
        let mut used: Vec<usize> = op.tensors.iter().map(|&tensor| place(tensor)).collect();
        used.sort_unstable();
        used.dedup();
        let mut taken: Vec<(usize, Vec<R>, Vec<u32>)> = used
            .iter()
            .map(|&at| (at, std::mem::take(&mut self.buffers[at]), std::mem::take(&mut self.ids[at])))
            .collect();

        let mut args: Vec<Option<Arg<R>>> = op.tensors.iter().map(|_| None).collect();
        let bindings = op.kernel.bindings();
        for (at, numbers, ids) in &mut taken {
            let of_buffer = || (0..bindings.len()).filter(|&i| place(op.tensors[i]) == *at);
            let is_ids = of_buffer().any(|i| bindings[i].element == Element::U32);
            let writes = of_buffer().any(|i| bindings[i].access != Access::Read);
            let ranges: Vec<_> = of_buffer().map(|i| (i, op.tensors[i].range())).collect();
            match (is_ids, writes) {
                (false, false) => ranges.into_iter().for_each(|(i, range)| args[i] = Some(Arg::Read(&numbers[range]))),
                (true, false) => ranges.into_iter().for_each(|(i, range)| args[i] = Some(Arg::Ids(&ids[range]))),
                (false, true) => split(numbers, ranges, |i, data| args[i] = Some(Arg::Write(data))),
                (true, true) => split(ids, ranges, |i, data| args[i] = Some(Arg::IdsMut(data))),
            }
        }
        let args = args.into_iter().map(|arg| arg.expect("every tensor lies in a buffer")).collect();
        op.kernel.run(Args(args), step);

        for (at, numbers, ids) in taken {
            self.buffers[at] = numbers;
            self.ids[at] = ids;
        }
    }
}

fn place(tensor: Tensor) -> usize {
    match tensor.buffer {
        BufferId::Placed(at) => at,
        BufferId::Transient(_) => panic!("a finished recording has placed its transients"),
    }
}

fn ids_of(kernel: &Kernel) -> impl Iterator<Item = bool> {
    kernel.bindings().into_iter().map(|binding| binding.element == Element::U32)
}

/// Fills up to `len` elements, and takes no memory beyond them: vectors by themselves take room for four at least.
fn allocate<T: Clone>(buffer: &mut Vec<T>, len: usize, zero: T) {
    buffer.reserve_exact(len - buffer.len());
    buffer.resize(len, zero);
}

/// Hands out disjoint ranges of a buffer, each mutable.
fn split<'a, T>(
    buffer: &'a mut [T],
    mut ranges: Vec<(usize, std::ops::Range<usize>)>,
    mut give: impl FnMut(usize, &'a mut [T]),
) {
    ranges.sort_by_key(|(_, range)| range.start);
    let (mut rest, mut done) = (buffer, 0);
    for (i, range) in ranges {
        // The tape has checked that what an op writes overlaps nothing else.
        let (_, from) = rest.split_at_mut(range.start - done);
        let (this, after) = from.split_at_mut(range.len());
        give(i, this);
        (rest, done) = (after, range.end);
    }
}
