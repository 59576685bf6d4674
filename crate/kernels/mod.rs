//! The kernels: what a step is made of.
//!
//! Each file here is one family. A kernel is a struct that holds its shapes; from it follow
//! - [`Spec::bindings`]: the tensors it is bound to, in order;
//! - [`Spec::shader`]: how its WGSL is composed from `shaders/`, and how many workgroups run it;
//! - [`Spec::run`]: its twin in plain Rust, the oracle of the shader in f64 and the CPU device in f32.

pub mod activation;
pub mod attention;
pub mod attention_decode;
mod attention_shape;
pub mod attention_stored;
pub mod ceiling;
pub mod cross_entropy;
pub mod dropout;
pub mod embedding;
pub mod finish_step;
pub mod matmul;
pub mod norm;
pub mod optimizer;
pub mod pick;
pub mod position;
pub mod query_key;
pub mod reduce;
pub mod soft_cap;
pub mod tiling;

use bytemuck::{Pod, Zeroable};

use crate::gpu::shader::Shader;
use crate::real::Real;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
    ReadWrite,
}

/// How the shader sees the elements of a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    F32,
    Vec4,
    U32,
}

/// One tensor that a kernel is bound to. Its name is the variable's name in the shader.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    pub name: &'static str,
    pub element: Element,
    pub access: Access,
    /// Number of 4-byte elements, whatever the shader sees them as.
    pub len: usize,
}

impl Binding {
    pub fn read(name: &'static str, len: usize) -> Self {
        Self { name, element: Element::F32, access: Access::Read, len }
    }

    pub fn write(name: &'static str, len: usize) -> Self {
        Self { name, element: Element::F32, access: Access::Write, len }
    }

    pub fn update(name: &'static str, len: usize) -> Self {
        Self { name, element: Element::F32, access: Access::ReadWrite, len }
    }

    pub fn vec4(self) -> Self {
        Self { element: Element::Vec4, ..self }
    }

    /// vec4 where rows of this length start at multiples of 16 bytes, else single floats.
    pub fn vec4_if_rows_of(self, row: usize) -> Self {
        if row.is_multiple_of(4) { self.vec4() } else { self }
    }

    pub fn ids(self) -> Self {
        Self { element: Element::U32, ..self }
    }
}

/// What changes from step to step: the only thing, beside the batch, that is uploaded.
/// Mirrored by `struct Step` in `shaders/header.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub struct Step {
    /// Counted from 1.
    pub step: u32,
    /// While sampling: the index of the token that is read.
    pub position: u32,
    pub learning_rate: f32,
    /// 1 − β₁ᵗ and 1 − β₂ᵗ, Adam's bias corrections; with Adafactor, `correction2` is 1 − β₂ₜ = t^−0.8.
    pub correction1: f32,
    pub correction2: f32,
    /// While sampling: see [`pick`]; `draw` is uniform in [0, 1).
    pub temperature: f32,
    pub top_k: u32,
    pub top_p: f32,
    pub draw: f32,
    /// While training: what dropout's noise begins with, see [`dropout::key`].
    pub noise: u32,
    /// Rows (B·T) of the step that lie in the micro-batches before.
    pub first_row: u32,
    /// Decides the labels that Sophia draws before the step.
    pub seed: u32,
}

impl Step {
    /// The same step's numbers for one of its micro-batches, of `rows` rows (B·T) each.
    pub fn of_micro_batch(self, index: usize, rows: usize) -> Self {
        Self { first_row: (index * rows) as u32, ..self }
    }
}

/// A tensor as a twin sees it.
pub enum Arg<'a, R> {
    Read(&'a [R]),
    Write(&'a mut [R]),
    Ids(&'a [u32]),
    IdsMut(&'a mut [u32]),
}

impl<'a, R> Arg<'a, R> {
    pub fn read(self) -> &'a [R] {
        match self {
            Arg::Read(data) => data,
            Arg::Write(data) => data,
            _ => panic!("bound to token ids, read as numbers"),
        }
    }

    pub fn write(self) -> &'a mut [R] {
        match self {
            Arg::Write(data) => data,
            _ => panic!("bound read-only, written to"),
        }
    }

    pub fn ids(self) -> &'a [u32] {
        match self {
            Arg::Ids(data) => data,
            Arg::IdsMut(data) => data,
            _ => panic!("bound to numbers, read as token ids"),
        }
    }

    pub fn ids_mut(self) -> &'a mut [u32] {
        match self {
            Arg::IdsMut(data) => data,
            _ => panic!("not bound to writable token ids"),
        }
    }
}

/// The tensors of one op, in the order of its bindings.
pub struct Args<'a, R>(pub Vec<Arg<'a, R>>);

impl<'a, R> Args<'a, R> {
    pub fn take<const N: usize>(self) -> [Arg<'a, R>; N] {
        let count = self.0.len();
        self.0.try_into().unwrap_or_else(|_| panic!("{N} tensors expected, {count} bound"))
    }

    /// The first N, and an iterator over the optional rest.
    pub fn take_with_rest<const N: usize>(mut self) -> ([Arg<'a, R>; N], std::vec::IntoIter<Arg<'a, R>>) {
        let rest = self.0.split_off(N);
        (self.take(), rest.into_iter())
    }
}

pub trait Spec {
    fn bindings(&self) -> Vec<Binding>;
    fn shader(&self) -> Shader;
    fn run<R: Real>(&self, args: Args<R>, step: &Step);
    /// Floating-point operations, additions and multiplications counted apart; 0 where memory is the cost.
    fn flops(&self) -> u64 {
        0
    }
    /// Elements that the twin allocates for as long as it runs.
    fn workspace(&self) -> usize {
        0
    }
    /// Whether the twin has nothing to do, because that of another kernel has done it.
    fn rests(&self) -> bool {
        false
    }
}

macro_rules! kernels {
    ($($(#[$doc:meta])* $variant:ident($spec:ty)),* $(,)?) => {
        /// Any kernel, with its shapes.
        #[derive(Clone, Debug)]
        pub enum Kernel {
            $($(#[$doc])* $variant($spec)),*
        }

        impl Kernel {
            pub const NAMES: &[&str] = &[$(stringify!($variant)),*];

            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => stringify!($variant)),* }
            }

            pub fn bindings(&self) -> Vec<Binding> {
                match self { $(Self::$variant(spec) => spec.bindings()),* }
            }

            pub fn shader(&self) -> Shader {
                match self { $(Self::$variant(spec) => spec.shader()),* }
            }

            pub fn run<R: Real>(&self, args: Args<R>, step: &Step) {
                /// All twins in one function would be too large for compilers to do well.
                #[inline(never)]
                fn apart<R: Real>(spec: &impl Spec, args: Args<R>, step: &Step) {
                    spec.run(args, step);
                }
                match self { $(Self::$variant(spec) => apart(spec, args, step)),* }
            }

            pub fn flops(&self) -> u64 {
                match self { $(Self::$variant(spec) => spec.flops()),* }
            }

            pub fn workspace(&self) -> usize {
                match self { $(Self::$variant(spec) => spec.workspace()),* }
            }

            pub fn rests(&self) -> bool {
                match self { $(Self::$variant(spec) => spec.rests()),* }
            }
        }

        $(impl From<$spec> for Kernel {
            fn from(spec: $spec) -> Self { Self::$variant(spec) }
        })*
    };
}

kernels! {
    MatMul(matmul::MatMul),
    NormForward(norm::NormForward),
    NormBackward(norm::NormBackward),
    AttentionForward(attention::AttentionForward),
    AttentionBackwardQuery(attention::AttentionBackwardQuery),
    AttentionBackwardKeyValue(attention::AttentionBackwardKeyValue),
    AttentionDecode(attention_decode::AttentionDecode),
    AttentionWeights(attention_stored::AttentionWeights),
    AttentionMix(attention_stored::AttentionMix),
    QueryKey(query_key::QueryKey),
    QueryKeyBackward(query_key::QueryKeyBackward),
    Embed(embedding::Embed),
    EmbedBackward(embedding::EmbedBackward),
    Dropout(dropout::Dropout),
    CrossEntropy(cross_entropy::CrossEntropy),
    SumGroups(reduce::SumGroups),
    SquaredNorm(reduce::SquaredNorm),
    FinishStep(finish_step::FinishStep),
    Update(optimizer::update::Update),
    AdamW8bit(optimizer::adamw_8bit::AdamW8bit),
    DrawLabels(optimizer::curvature::DrawLabels),
    Curvature(optimizer::curvature::Curvature),
    AdafactorRows(optimizer::adafactor::AdafactorRows),
    AdafactorColumns(optimizer::adafactor::AdafactorColumns),
    AdafactorMeasure(optimizer::adafactor::AdafactorMeasure),
    AdafactorApply(optimizer::adafactor::AdafactorApply),
    MuonMomentum(optimizer::muon::MuonMomentum),
    Normalise(optimizer::muon::Normalise),
    Polynomial(optimizer::muon::Polynomial),
    MuonApply(optimizer::muon::MuonApply),
    Pick(pick::Pick),
    Arithmetic(ceiling::Arithmetic),
    Copy(ceiling::Copy),
}
