//! How kernels are cut up: on a GPU, matrix products as measured once on the adapter at hand and then remembered, the
//! others by a rule; on the CPU, by a rule.
//!
//! What is measured never changes a bit of a result (see [`Tiling`]), and the rules know no more of an adapter than
//! whether it is a software one: runs repeat.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use web_time::Instant;

use crate::engine::{Device, Engine};
use crate::error::Result;
use crate::kernels::Kernel;
use crate::kernels::attention::{AttentionBackwardKeyValue, AttentionBackwardQuery, AttentionForward};
use crate::kernels::attention_stored::{AttentionMix, AttentionWeights};
use crate::kernels::cross_entropy::CrossEntropy;
use crate::kernels::matmul::MatMul;
use crate::kernels::norm::{NormBackward, NormForward};
use crate::kernels::optimizer::adafactor::AdafactorRows;
use crate::kernels::optimizer::curvature::DrawLabels;
use crate::kernels::tiling::Tiling;
use crate::profile;
use crate::tape::{Op, Recording};

/// What a run spends on measuring before its first step, in seconds; products that are left take a rule.
pub const BUDGET: f64 = 1.5;

/// Spent on one candidate, in seconds, beside its compilation.
const GLANCE: f64 = 0.01;

/// The tilings of one adapter by [`MatMul::shape`]; what is fused into a product's end changes little.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tilings(BTreeMap<String, Tiling>);

impl Tilings {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, product: &MatMul) -> Option<Tiling> {
        // What was kept elsewhere may be of another version: only what is offered today is taken.
        self.0.get(&product.shape()).copied().filter(|tiling| Tiling::all().any(|offered| offered == *tiling))
    }
}

/// Gives each product of the recordings its tiling, and the other kernels theirs. Products of the first, a training step, are measured while the
/// device's budget lasts, the costliest first. Ops play on the engine's buffers: before anything is written to them.
pub async fn choose(engine: &mut Engine, device: &Device, recordings: &mut [&mut Recording]) -> Result<()> {
    let Device::Gpu(gpu) = device else {
        suit_cpu(recordings);
        return Ok(());
    };
    let begin = Instant::now();
    for op in products(recordings[0]) {
        if begin.elapsed().as_secs_f64() >= gpu.tuning_budget.get() {
            break;
        }
        let Kernel::MatMul(product) = &op.kernel else { continue };
        let known = gpu.tilings.borrow().get(product).is_some();
        if !known {
            let fastest = fastest(engine, &op, product, gpu.software).await?;
            gpu.tilings.borrow_mut().0.insert(product.shape(), fastest);
        }
    }
    for op in recordings.iter_mut().flat_map(|recording| &mut recording.ops) {
        match &mut op.kernel {
            Kernel::MatMul(product) => {
                let rule = || Tiling::rule(gpu.software, product.m, product.n, product.k);
                product.tiling = gpu.tilings.borrow().get(product).unwrap_or_else(rule);
            }
            Kernel::AttentionForward(AttentionForward(shape))
            | Kernel::AttentionBackwardQuery(AttentionBackwardQuery(shape))
            | Kernel::AttentionBackwardKeyValue(AttentionBackwardKeyValue(shape))
            | Kernel::AttentionWeights(AttentionWeights(shape))
            | Kernel::AttentionMix(AttentionMix(shape)) => {
                shape.rows_each = shape.rows_for(gpu.software);
            }
            Kernel::NormForward(NormForward { alone, .. })
            | Kernel::NormBackward(NormBackward { alone, .. })
            | Kernel::CrossEntropy(CrossEntropy { alone, .. })
            | Kernel::DrawLabels(DrawLabels { alone, .. })
            | Kernel::AdafactorRows(AdafactorRows { alone, .. }) => *alone = gpu.software,
            _ => {}
        }
    }
    Ok(())
}

/// What suits the CPU device.
fn suit_cpu(recordings: &mut [&mut Recording]) {
    for op in recordings.iter_mut().flat_map(|recording| &mut recording.ops) {
        if let Kernel::AttentionBackwardQuery(AttentionBackwardQuery(shape))
        | Kernel::AttentionBackwardKeyValue(AttentionBackwardKeyValue(shape)) = &mut op.kernel
        {
            shape.at_once = true;
        }
    }
}

/// One op for each distinct product, those with most work in all first.
pub fn products(recording: &Recording) -> Vec<Op> {
    let mut distinct: BTreeMap<String, (u64, Op)> = BTreeMap::new();
    for op in &recording.ops {
        if let Kernel::MatMul(product) = &op.kernel {
            distinct.entry(product.shape()).or_insert((0, op.clone())).0 += op.kernel.flops();
        }
    }
    let mut products: Vec<_> = distinct.into_values().collect();
    products.sort_by_key(|(flops, _)| std::cmp::Reverse(*flops));
    products.into_iter().map(|(_, op)| op).collect()
}

async fn fastest(engine: &mut Engine, op: &Op, product: &MatMul, software: bool) -> Result<Tiling> {
    let candidates = Tiling::candidates(software, product.m, product.n, product.k);
    if let [only] = candidates {
        return Ok(*only);
    }
    let mut best = (f64::INFINITY, Tiling::small());
    for &tiling in candidates {
        let kernel = MatMul { tiling, ..product.clone() }.into();
        let seconds = profile::seconds_of(engine, &Op { kernel, ..op.clone() }, GLANCE).await?;
        if seconds < best.0 {
            best = (seconds, tiling);
        }
    }
    Ok(best.1)
}
