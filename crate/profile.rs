//! Where a training step's time goes: each of its kernels played alone, again and again, beside what the device can do
//! at best.

use std::collections::BTreeMap;

use serde::Serialize;
use web_time::Instant;

use crate::cost::{self, Part};
use crate::engine::{Device, Engine, ProgramId};
use crate::error::Result;
use crate::kernels::Kernel;
use crate::kernels::ceiling::{Arithmetic, Copy};
use crate::kernels::matmul::{Layout, MatMul};
use crate::kernels::tiling::Tiling;
use crate::plan::Plan;
use crate::tape::{Buffers, Op, Purpose, Recording, Tape};
use crate::tuning;

/// One kernel at one shape.
#[derive(Clone, Debug, Serialize)]
pub struct KernelTime {
    pub kernel: &'static str,
    /// The first op of the step that plays it.
    pub label: String,
    /// Of a matrix product: layout, M, N, K.
    pub shape: Option<String>,
    /// Of a matrix product on a GPU.
    pub tiling: Option<String>,
    /// What it serves.
    pub part: Part,
    /// Ops of a step that play it.
    pub count: usize,
    /// Of one op.
    pub milliseconds: f64,
    /// Of all its ops, of the sum over the step's kernels. 0 for what is no part of it.
    pub share: f64,
    /// 10⁹ floating-point operations a second.
    pub gflops: f64,
    /// 10⁹ bytes a second, each bound tensor counted once.
    pub gigabytes: f64,
    /// Floating-point operations of one op, as this device does it.
    pub flops: u64,
    /// Bytes of the tensors that one op is bound to.
    pub bytes: u64,
}

impl KernelTime {
    fn of(op: &Op, seconds: f64, device: &Device) -> Self {
        let bytes = cost::bytes(op);
        let product = if let Kernel::MatMul(product) = &op.kernel { Some(product) } else { None };
        let on_gpu = matches!(device, Device::Gpu(_));
        Self {
            kernel: op.kernel.name(),
            label: op.label.clone(),
            shape: product.map(MatMul::shape),
            tiling: product.filter(|_| on_gpu).map(|product| product.tiling.to_string()),
            part: Part::of(op),
            count: 1,
            milliseconds: seconds * 1e3,
            share: 0.0,
            gflops: op.kernel.flops() as f64 / seconds / 1e9,
            gigabytes: bytes as f64 / seconds / 1e9,
            flops: op.kernel.flops(),
            bytes,
        }
    }
}

/// What a device can do at best, as measured.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Ceiling {
    /// Multiply-adds in registers on a GPU; on the CPU a large matrix product, whose kernel is the best there is.
    pub gflops: f64,
    /// Bytes read and written by a copy.
    pub gigabytes: f64,
}

/// Measures what `device` can do at best, with `budget` seconds for each figure.
pub async fn ceiling(device: &Device, budget: f64) -> Result<Ceiling> {
    const LEN: usize = 1 << 21;
    let arithmetic: Kernel = match device {
        Device::Gpu(_) => Arithmetic { len: 1 << 16, rounds: 512 }.into(),
        Device::Cpu => MatMul::new(Layout::NN, 512, 512, 512).into(),
    };
    Ok(Ceiling {
        gflops: alone(arithmetic, device, budget).await?.gflops,
        gigabytes: alone(Copy { len: LEN }.into(), device, budget).await?.gigabytes,
    })
}

/// A kernel that is no part of a step, on buffers of its own.
pub(crate) async fn alone(kernel: Kernel, device: &Device, budget: f64) -> Result<KernelTime> {
    let (mut buffers, mut tape) = (Buffers::default(), Tape::new());
    let add = |binding: &crate::kernels::Binding| buffers.add(binding.name, Purpose::Traffic, binding.len);
    let tensors: Vec<_> = kernel.bindings().iter().map(add).collect();
    let name = kernel.name();
    tape.push(kernel, name, &tensors);
    let mut recording = tape.finish(&mut buffers);
    let mut engine = Engine::new(device, &buffers, 1)?;
    tuning::choose(&mut engine, device, &mut [&mut recording]).await?;
    let op = &recording.ops[0];
    let seconds = seconds_of(&mut engine, op, budget).await?;
    Ok(KernelTime::of(op, seconds, device))
}

/// Times each kernel of `plan`'s training step on `device`, the slowest share first. About `budget` seconds are spent
/// on each. `progress` is told (done, all) before each; an error of its own ends the profile.
pub async fn profile(
    plan: &Plan,
    device: &Device,
    budget: f64,
    mut progress: impl AsyncFnMut(usize, usize) -> Result<()>,
) -> Result<Vec<KernelTime>> {
    let mut recording = plan.train.recording.clone();
    let mut engine = Engine::new(device, &plan.buffers, plan.state.metrics.len)?;
    tuning::choose(&mut engine, device, &mut [&mut recording]).await?;
    let program = engine.add(&recording, &mut |_, _| ()).await?;

    // Ops that play the same shader at the same sizes for the same part are the same work.
    let mut groups: BTreeMap<(Part, String, Vec<u32>), Vec<usize>> = BTreeMap::new();
    for (i, op) in recording.ops.iter().enumerate().filter(|(_, op)| !op.kernel.rests()) {
        let shader = op.kernel.shader();
        groups.entry((Part::of(op), shader.compose(), shader.sizes())).or_default().push(i);
    }
    let mut times = vec![];
    for ops in groups.values() {
        progress(times.len(), groups.len()).await?;
        let seconds = seconds(&mut engine, program, ops[0], budget).await?;
        let count = ops.iter().map(|&i| recording.times(i)).sum();
        let time = KernelTime::of(&recording.ops[ops[0]], seconds, device);
        times.push(KernelTime { count, share: seconds * count as f64, ..time });
    }
    let total: f64 = times.iter().map(|time| time.share).sum();
    times.iter_mut().for_each(|time| time.share /= total);
    times.sort_by(|a, b| b.share.total_cmp(&a.share));
    Ok(times)
}

/// Times every tiling of every product of `plan`'s training step on a GPU, and hands each out as it is known.
pub async fn tilings(plan: &Plan, device: &Device, budget: f64, mut show: impl FnMut(&KernelTime)) -> Result<()> {
    let mut engine = Engine::new(device, &plan.buffers, plan.state.metrics.len)?;
    for op in tuning::products(&plan.train.recording) {
        for tiling in Tiling::all() {
            let mut op = op.clone();
            let Kernel::MatMul(product) = &mut op.kernel else { continue };
            product.tiling = tiling;
            show(&KernelTime::of(&op, seconds_of(&mut engine, &op, budget).await?, device));
        }
    }
    Ok(())
}

/// Seconds that an op takes, as a program of its own.
pub async fn seconds_of(engine: &mut Engine, op: &Op, budget: f64) -> Result<f64> {
    let program = engine.add(&Recording::of(vec![op.clone()]), &mut |_, _| ()).await?;
    seconds(engine, program, 0, budget).await
}

/// Seconds that one op of a program takes: played again and again, in ever longer rows, for about `budget` seconds;
/// the fastest row counts.
async fn seconds(engine: &mut Engine, program: ProgramId, op: usize, budget: f64) -> Result<f64> {
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
