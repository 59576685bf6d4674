//! One tape, two devices: whatever a run does, it does through an [`Engine`], on the GPU or on the CPU.

use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use serde::Serialize;
use web_time::Instant;

use crate::cpu::CpuEngine;
use crate::error::Result;
use crate::gpu::{Gpu, GpuEngine};
use crate::kernels::Step;
use crate::tape::{Buffers, Recording, Tensor};

/// A recording that an engine was given.
pub type ProgramId = usize;

/// Names a read that was started; they arrive in the order in which they were started.
pub type Ticket = u64;

/// Where runs can live.
#[derive(Clone)]
pub enum Device {
    Gpu(Rc<Gpu>),
    Cpu,
}

/// What a visitor may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The GPU, if there is a real one, else the CPU.
    Auto,
    Gpu,
    Cpu,
}

impl Device {
    /// Opens the device. With `Auto` also says, where the CPU was taken, why.
    ///
    /// # Errors
    /// `Gpu` without a GPU.
    pub async fn open(choice: DeviceChoice) -> Result<(Self, Option<String>)> {
        match choice {
            DeviceChoice::Cpu => Ok((Self::Cpu, None)),
            DeviceChoice::Gpu => Ok((Self::Gpu(Rc::new(Gpu::open().await?)), None)),
            DeviceChoice::Auto => Ok(match Gpu::open().await {
                Err(error) => (Self::Cpu, Some(error.to_string())),
                Ok(gpu) if gpu.software => {
                    let note = format!("the only adapter, {}, runs shaders on the CPU; this is faster", gpu.name);
                    (Self::Cpu, Some(note))
                }
                Ok(gpu) => (Self::Gpu(Rc::new(gpu)), None),
            }),
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Gpu(gpu) => &gpu.name,
            Self::Cpu => "CPU",
        }
    }

    /// With what kernels are timed here.
    pub fn clock(&self) -> Clock {
        match self {
            Self::Cpu => Clock::Cpu,
            Self::Gpu(gpu) if gpu.has_clock() => Clock::Timestamps,
            Self::Gpu(_) => Clock::WallClock,
        }
    }
}

/// Whose clock says how long a kernel takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// The program's, around a loop on the CPU.
    Cpu,
    /// The GPU's own, by timestamp queries.
    Timestamps,
    /// The program's, around a submit to the GPU and the way back, less what an empty one takes.
    WallClock,
}

/// A device with a run's buffers and programs on it.
pub enum Engine {
    Gpu(Box<GpuEngine>),
    Cpu(CpuRun),
}

/// The CPU finishes what it is asked at once; what it read waits here to be polled.
pub struct CpuRun {
    engine: CpuEngine<f32>,
    reads: VecDeque<(Ticket, Vec<f32>)>,
    next: Ticket,
}

impl Engine {
    /// Allocates `buffers`, zeroed, and fills the tables. `read_len` is the most that one read from `run` brings back.
    pub fn new(device: &Device, buffers: &Buffers, read_len: usize) -> Result<Self> {
        Ok(match device {
            Device::Gpu(gpu) => Self::Gpu(Box::new(GpuEngine::new(Rc::clone(gpu), buffers, read_len)?)),
            Device::Cpu => Self::Cpu(CpuRun { engine: CpuEngine::new(buffers), reads: VecDeque::new(), next: 0 }),
        })
    }

    /// What was allocated so far, at most at one time; on the CPU without what kernels take while they run.
    pub fn allocated_bytes(&self) -> u64 {
        match self {
            Self::Gpu(engine) => engine.allocated_bytes(),
            Self::Cpu(run) => run.engine.allocated_bytes(),
        }
    }

    pub async fn add(&mut self, recording: &Recording, progress: &mut dyn FnMut(usize, usize)) -> Result<ProgramId> {
        match self {
            Self::Gpu(engine) => engine.add(recording, progress).await,
            Self::Cpu(run) => Ok(run.engine.add(recording)),
        }
    }

    /// The same at once, where nothing is to be compiled: on the CPU.
    pub fn add_now(&mut self, recording: &Recording) -> Option<ProgramId> {
        match self {
            Self::Gpu(_) => None,
            Self::Cpu(run) => Some(run.engine.add(recording)),
        }
    }

    pub fn write(&mut self, tensor: Tensor, data: &[f32]) {
        match self {
            Self::Gpu(engine) => engine.write(tensor, bytemuck::cast_slice(data)),
            Self::Cpu(run) => run.engine.write_exact(tensor, data),
        }
    }

    pub fn write_ids(&mut self, tensor: Tensor, data: &[u32]) {
        match self {
            Self::Gpu(engine) => engine.write(tensor, bytemuck::cast_slice(data)),
            Self::Cpu(run) => run.engine.write_ids(tensor, data),
        }
    }

    /// Runs ops of a program: the GPU is asked and goes on by itself, the CPU works now.
    /// Where `read` is given, its value after them will be there to `poll`; only when there is room.
    pub fn run(
        &mut self,
        program: ProgramId,
        ops: Range<usize>,
        step: &Step,
        read: Option<Tensor>,
    ) -> Result<Option<Ticket>> {
        match self {
            Self::Gpu(engine) => engine.run(program, ops, step, read),
            Self::Cpu(run) => {
                run.engine.run(program, ops, step);
                Ok(read.map(|tensor| {
                    run.reads.push_back((run.next, run.engine.read(tensor).to_vec()));
                    run.next += 1;
                    run.next - 1
                }))
            }
        }
    }

    /// Seconds that op `op` of a program takes when it plays `repeats` times in a row.
    pub async fn time(&mut self, program: ProgramId, op: usize, repeats: u32) -> Result<f64> {
        match self {
            Self::Gpu(engine) => engine.time(program, op, repeats).await,
            Self::Cpu(run) => {
                let start = Instant::now();
                for _ in 0..repeats {
                    run.engine.run(program, op..op + 1, &Step::default());
                }
                Ok(start.elapsed().as_secs_f64())
            }
        }
    }

    /// Cuts what is submitted to a GPU into parts expected to take at most so many seconds, instead of a tenth.
    pub fn limit_submits(&mut self, seconds: f64) {
        if let Self::Gpu(engine) = self {
            engine.limit_submits(seconds);
        }
    }

    /// Submits of ops to the GPU so far; the CPU has none.
    pub fn submits(&self) -> u64 {
        match self {
            Self::Gpu(engine) => engine.submits(),
            Self::Cpu(_) => 0,
        }
    }

    /// Whether another `run` that reads can be asked for now.
    pub fn has_room(&self) -> bool {
        match self {
            Self::Gpu(engine) => engine.has_room(),
            Self::Cpu(run) => run.reads.is_empty(),
        }
    }

    /// The oldest read that has arrived. Never waits.
    pub fn poll(&mut self) -> Result<Option<(Ticket, Vec<f32>)>> {
        match self {
            Self::Gpu(engine) => engine.poll(),
            Self::Cpu(run) => Ok(run.reads.pop_front()),
        }
    }

    /// The oldest read, waited for; None when none is under way.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn wait(&mut self) -> Result<Option<(Ticket, Vec<f32>)>> {
        match self {
            Self::Gpu(engine) => engine.wait(),
            Self::Cpu(run) => Ok(run.reads.pop_front()),
        }
    }

    /// What a tensor holds, where that is at hand: on the CPU.
    pub fn peek(&self, tensor: Tensor) -> Option<&[f32]> {
        match self {
            Self::Gpu(_) => None,
            Self::Cpu(run) => Some(run.engine.read(tensor)),
        }
    }

    /// Brings a tensor back, and waits for it.
    pub async fn read(&mut self, tensor: Tensor) -> Result<Vec<f32>> {
        match self {
            Self::Gpu(engine) => Ok(bytemuck::pod_collect_to_vec(&engine.read(tensor).await?)),
            Self::Cpu(run) => Ok(run.engine.read(tensor).to_vec()),
        }
    }

    pub async fn read_ids(&mut self, tensor: Tensor) -> Result<Vec<u32>> {
        match self {
            Self::Gpu(engine) => Ok(bytemuck::pod_collect_to_vec(&engine.read(tensor).await?)),
            Self::Cpu(run) => Ok(run.engine.read_ids(tensor).to_vec()),
        }
    }
}
