//! Where a training step's time goes: each of its kernels played alone, again and again.

use std::collections::BTreeMap;

use serde::Serialize;
use web_time::Instant;

use crate::engine::{Device, Engine};
use crate::error::Result;
use crate::kernels::Step;
use crate::plan::Plan;

/// One kernel at one shape.
#[derive(Clone, Debug, Serialize)]
pub struct KernelTime {
    pub kernel: &'static str,
    /// The first op of the step that plays it.
    pub label: String,
    /// Ops of a step that play it.
    pub count: usize,
    /// Of one op.
    pub milliseconds: f64,
    /// Of all its ops, of the sum over all kernels.
    pub share: f64,
    /// 10⁹ floating-point operations a second.
    pub gflops: f64,
    /// 10⁹ bytes a second, each bound tensor counted once.
    pub gigabytes: f64,
}

/// Times each kernel of `plan`'s training step on `device`, the slowest share first.
///
/// A kernel plays until `budget` seconds are spent on it; the fastest of its batches counts. What an op costs beside
/// its work (the submission, on the GPU) is in the figure.
pub async fn profile(plan: &Plan, device: &Device, budget: f64) -> Result<Vec<KernelTime>> {
    let recording = &plan.train.recording;
    let metrics = plan.state.metrics;
    let mut engine = Engine::new(device, &plan.buffers, metrics.len)?;
    let program = engine.add(recording, &mut |_, _| ()).await?;

    // Ops that play the same shader are the same work.
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, op) in recording.ops.iter().enumerate() {
        groups.entry(op.kernel.shader().compose()).or_default().push(i);
    }
    let mut times = vec![];
    for ops in groups.values() {
        let op = &recording.ops[ops[0]];
        let mut repeats = 1;
        let mut best = f64::INFINITY;
        // Drivers may compile a pipeline when it is first used.
        engine.run(program, ops[0]..ops[0] + 1, &Step::default(), None)?;
        engine.read(metrics).await?;
        let begin = Instant::now();
        while begin.elapsed().as_secs_f64() < budget || best.is_infinite() {
            let start = Instant::now();
            for _ in 0..repeats {
                engine.run(program, ops[0]..ops[0] + 1, &Step::default(), None)?;
            }
            engine.read(metrics).await?;
            let seconds = start.elapsed().as_secs_f64();
            best = best.min(seconds / f64::from(repeats));
            if seconds < budget / 10.0 {
                repeats *= 2;
            }
        }
        let bytes: usize = op.tensors.iter().map(|tensor| tensor.len * 4).sum();
        times.push(KernelTime {
            kernel: op.kernel.name(),
            label: op.label.clone(),
            count: ops.len(),
            milliseconds: best * 1e3,
            share: best * ops.len() as f64,
            gflops: op.kernel.flops() as f64 / best / 1e9,
            gigabytes: bytes as f64 / best / 1e9,
        });
    }
    let total: f64 = times.iter().map(|time| time.share).sum();
    times.iter_mut().for_each(|time| time.share /= total);
    times.sort_by(|a, b| b.share.total_cmp(&a.share));
    Ok(times)
}
