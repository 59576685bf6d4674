//! What a training step's arithmetic and memory traffic go into, part by part, and the law by which attention's share
//! grows with the context.
//!
//! One function, [`Part::of`], says which part an op serves; plans, profiles and measurements all ask it.

use serde::Serialize;

use crate::config::ModelConfig;
use crate::kernels::Kernel;
use crate::tape::{Op, Recording};

/// What an op of a training step serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Scores, softmax, weighted sums of values, and their gradients; turning and norming queries and keys.
    Attention,
    /// The other matrix products of the blocks, with what is fused into their ends.
    Matmul,
    /// The output head's products and the loss.
    Head,
    /// Clipping and the update.
    Optimizer,
    /// Norms, embeddings, dropout where it is alone.
    Rest,
}

impl Part {
    pub const ALL: [Self; 5] = [Self::Attention, Self::Matmul, Self::Head, Self::Optimizer, Self::Rest];

    /// By the kernel, and for products by the label.
    pub fn of(op: &Op) -> Self {
        match &op.kernel {
            Kernel::AttentionForward(_)
            | Kernel::AttentionBackwardQuery(_)
            | Kernel::AttentionBackwardKeyValue(_)
            | Kernel::AttentionDecode(_)
            | Kernel::AttentionWeights(_)
            | Kernel::AttentionMix(_)
            | Kernel::QueryKey(_)
            | Kernel::QueryKeyBackward(_) => Self::Attention,
            Kernel::MatMul(_) => Self::of_product(&op.label),
            Kernel::CrossEntropy(_) | Kernel::DrawLabels(_) | Kernel::Pick(_) => Self::Head,
            Kernel::SquaredNorm(_)
            | Kernel::FinishStep(_)
            | Kernel::Update(_)
            | Kernel::AdamW8bit(_)
            | Kernel::Curvature(_)
            | Kernel::AdafactorRows(_)
            | Kernel::AdafactorColumns(_)
            | Kernel::AdafactorMeasure(_)
            | Kernel::AdafactorApply(_)
            | Kernel::MuonMomentum(_)
            | Kernel::Normalise(_)
            | Kernel::Polynomial(_)
            | Kernel::MuonApply(_) => Self::Optimizer,
            Kernel::NormForward(_)
            | Kernel::NormBackward(_)
            | Kernel::Embed(_)
            | Kernel::EmbedBackward(_)
            | Kernel::Dropout(_)
            | Kernel::SumGroups(_)
            | Kernel::Arithmetic(_)
            | Kernel::Copy(_) => Self::Rest,
        }
    }

    /// Muon's products stand for matrices of blocks too: what they compute is said last.
    fn of_product(label: &str) -> Self {
        let of_muon = [" gram", " gram²", " step"].iter().any(|end| label.ends_with(end));
        match label {
            _ if of_muon => Self::Optimizer,
            _ if label.starts_with("blocks.") => Self::Matmul,
            _ if label.starts_with("head") => Self::Head,
            _ => Self::Rest,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Attention => "attention",
            Self::Matmul => "matmul",
            Self::Head => "head",
            Self::Optimizer => "optimizer",
            Self::Rest => "rest",
        }
    }
}

/// What a part of a training step takes for each token.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PartWork {
    pub part: Part,
    /// Floating-point operations of products and of attention, forward and backward, additions and multiplications counted
    /// apart; what is elementwise counts as memory alone.
    pub flops_per_token: f64,
    /// Bytes that its kernels are bound to, each tensor counted once a kernel: what memory would move without caches.
    pub bytes_per_token: f64,
}

/// A step's work for each token, in the order of [`Part::ALL`].
pub fn work(recording: &Recording, tokens_per_step: usize) -> Vec<PartWork> {
    let sums = Part::ALL.map(|part| {
        let ops = recording.ops.iter().enumerate().filter(|(_, op)| Part::of(op) == part);
        ops.fold([0.0; 2], |[flops, traffic], (i, op)| {
            let times = recording.times(i) as f64;
            [flops + times * op.kernel.flops() as f64, traffic + times * bytes(op) as f64]
        })
    });
    let per_token = |sum: f64| sum / tokens_per_step as f64;
    let of = |(part, [flops, bytes]): (Part, [f64; 2])| PartWork {
        part,
        flops_per_token: per_token(flops),
        bytes_per_token: per_token(bytes),
    };
    Part::ALL.into_iter().zip(sums).map(of).collect()
}

/// Of the tensors that an op is bound to.
pub fn bytes(op: &Op) -> u64 {
    op.tensors.iter().map(|tensor| 4 * tensor.len as u64).sum()
}

/// At which context T* attention's arithmetic is as much as that of the blocks' other products; its share of the two is
/// T / (T* + T).
///
/// Forward, a token costs a block 2 N/L operations in its matrices, N their weights in all L blocks, and 4 T d in
/// attention: 2 T d for scores against T keys and as much for the sum of T values, d channels in all heads. So
/// T* = N / (2 L d), which is 6 d where N = 12 L d² (d_ff = 4 d). This counts the whole T × T matrix.
///
/// A causal kernel skips the masked half: 2 T d, T* = N / (L d), or 12 d. Both laws hold for whole steps too as long as
/// the backward pass takes twice the forward's work on both sides, that is four products for attention.
///
/// Ours skip the masked half, and take more than four: none of them keeps the T × T matrix, so that each computes scores
/// anew. The shaders' backward kernels make 3 + 4 products, the CPU device's 5 at once. A step then costs 9 T d, or
/// 7 T d, against 6 N/L: T* is 8 d, or 10.3 d. [`counted_crossover`] finds that in what was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Law {
    /// T* where all of the T × T matrix counts: N / (2 L d).
    pub full: f64,
    /// T* where its causal half counts: N / (L d).
    pub causal: f64,
}

impl Law {
    pub fn of(model: &ModelConfig) -> Self {
        let width = f64::from(model.width);
        let mlp = if model.activation.is_gated() { 3.0 } else { 2.0 } * f64::from(model.hidden_size());
        // N / (L d): rows of qkv, of the projection after attention, and of the MLP's matrices.
        let causal = f64::from(model.qkv_width()) + width + mlp;
        Self { full: causal / 2.0, causal }
    }

    /// Attention's share of a block's arithmetic at a context, counted causally.
    pub fn share(self, context: f64) -> f64 {
        context / (self.causal + context)
    }
}

/// T* of kernels as they are, from what they do at one context: attention's operations grow with it, those of products do
/// not.
pub fn counted_crossover(context: f64, attention_flops: f64, matmul_flops: f64) -> f64 {
    context * matmul_flops / attention_flops
}

/// How far a run is on the way to T*.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Price {
    #[serde(flatten)]
    pub law: Law,
    /// T* by the operations that are recorded, the shaders'.
    pub counted: f64,
    /// Attention's share of the operations of attention and the blocks' products, as recorded.
    pub attention_share: f64,
}

impl Price {
    pub fn of(law: Law, context: usize, work: &[PartWork]) -> Self {
        let flops = |part| work.iter().find(|work| work.part == part).map_or(0.0, |work| work.flops_per_token);
        let (attention, matmul) = (flops(Part::Attention), flops(Part::Matmul));
        let counted = counted_crossover(context as f64, attention, matmul);
        Self { law, counted, attention_share: attention / (attention + matmul) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Activation, Config};
    use crate::engine::Device;
    use crate::plan::Plan;

    #[test]
    fn the_law_is_that_of_the_literature_for_its_shape() {
        let mut model = Config::default().model;
        (model.width, model.hidden, model.heads) = (128, 512, 4);
        assert_eq!(Law::of(&model), Law { full: 6.0 * 128.0, causal: 12.0 * 128.0 });
        assert_eq!(Law::of(&model).share(1536.0), 0.5);
        // A gated MLP of the same weights.
        (model.activation, model.equal_parameters) = (Activation::Swiglu, false);
        model.hidden = 384;
        assert_eq!(Law::of(&model).causal, 4.0 * 128.0 + 3.0 * 384.0);
        // 30B.
        (model.width, model.hidden, model.heads, model.activation) = (7168, 28_672, 56, Activation::Gelu);
        assert!((Law::of(&model).share(8192.0) - 0.087).abs() < 1e-3);
    }
    #[test]
    fn recorded_work_is_that_of_the_kernels() {
        let mut config = Config::default();
        (config.model.width, config.model.hidden, config.model.heads) = (128, 512, 4);
        for context in [64, 1024] {
            (config.model.context, config.training.batch_size) = (context, 1024 / context);
            let summary = Plan::new(&config, 65, &Device::Cpu).unwrap().summary();
            let flops = |part| summary.work.iter().find(|work| work.part == part).unwrap().flops_per_token;
            // Of three layers: 72 d² in products, 9 T d in attention; of the head, forward and backward, 6 V d.
            assert_eq!(flops(Part::Matmul), 3.0 * 72.0 * 128.0 * 128.0);
            assert_eq!(flops(Part::Attention), 3.0 * 9.0 * 128.0 * f64::from(context));
            assert_eq!(flops(Part::Head), 6.0 * 65.0 * 128.0);
            assert_eq!(summary.length.counted, 8.0 * 128.0);
            let all: f64 = summary.work.iter().map(|work| work.flops_per_token).sum();
            assert_eq!(all as u64, summary.flops_per_token);
            assert!(summary.work.iter().all(|work| work.bytes_per_token > 0.0));
        }
    }
}
