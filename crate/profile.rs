//! Where a training step's time goes: each of its kernels played alone, again and again.

use std::collections::BTreeMap;

use serde::Serialize;
use web_time::Instant;

use crate::engine::{Device, Engine, ProgramId};
use crate::error::Result;
use crate::plan::Plan;
use crate::tuning;

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

/// Times each kernel of `plan`'s training step on `device`, the slowest share first. About `budget` seconds are spent
/// on each.
pub async fn profile(plan: &Plan, device: &Device, budget: f64) -> Result<Vec<KernelTime>> {
    let mut recording = plan.train.recording.clone();
    let mut engine = Engine::new(device, &plan.buffers, plan.state.metrics.len)?;
    tuning::choose(&mut engine, device, &mut [&mut recording]).await?;
    let program = engine.add(&recording, &mut |_, _| ()).await?;

    // Ops that play the same shader are the same work.
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, op) in recording.ops.iter().enumerate() {
        groups.entry(op.kernel.shader().compose()).or_default().push(i);
    }
    let mut times = vec![];
    for ops in groups.values() {
        let op = &recording.ops[ops[0]];
        let seconds = seconds(&mut engine, program, ops[0], budget).await?;
        let bytes: usize = op.tensors.iter().map(|tensor| tensor.len * 4).sum();
        times.push(KernelTime {
            kernel: op.kernel.name(),
            label: op.label.clone(),
            count: ops.len(),
            milliseconds: seconds * 1e3,
            share: seconds * ops.len() as f64,
            gflops: op.kernel.flops() as f64 / seconds / 1e9,
            gigabytes: bytes as f64 / seconds / 1e9,
        });
    }
    let total: f64 = times.iter().map(|time| time.share).sum();
    times.iter_mut().for_each(|time| time.share /= total);
    times.sort_by(|a, b| b.share.total_cmp(&a.share));
    Ok(times)
}

/// Seconds that one op of a program takes: played again and again, in ever longer rows, for about `budget` seconds;
/// the fastest row counts.
pub async fn seconds(engine: &mut Engine, program: ProgramId, op: usize, budget: f64) -> Result<f64> {
    const MOST_REPEATS: u32 = 4096;
    // Drivers may compile a pipeline when it is first used.
    engine.time(program, op, 1).await?;
    // The way to the GPU and back, where it has no clock of its own.
    let idle = engine.time(program, op, 0).await?.min(engine.time(program, op, 0).await?);
    let (mut repeats, mut best) = (1, f64::INFINITY);
    let begin = Instant::now();
    while begin.elapsed().as_secs_f64() < budget || best.is_infinite() {
        let seconds = engine.time(program, op, repeats).await? - idle;
        // Clocks tick: browsers round them to 0.1 ms.
        if seconds > 5e-4_f64.min(budget / 4.0) || repeats == MOST_REPEATS {
            best = best.min(seconds.max(1e-9) / f64::from(repeats));
        }
        if seconds < budget / 8.0 && repeats < MOST_REPEATS {
            repeats *= 2;
        }
    }
    Ok(best)
}
