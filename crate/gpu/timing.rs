//! How long dispatches take: by the GPU's own clock where it has one, else by ours.

use web_time::Instant;

use super::{Gpu, GpuEngine};
use crate::engine::ProgramId;
use crate::error::Result;
use crate::kernels::Step;

/// Two readings of the GPU's clock, before and after a pass.
pub struct Stopwatch {
    queries: wgpu::QuerySet,
    readings: wgpu::Buffer,
}

const SIZE: u64 = 2 * size_of::<u64>() as u64;

fn is_there(device: &wgpu::Device) -> bool {
    device.features().contains(wgpu::Features::TIMESTAMP_QUERY)
}

impl Gpu {
    /// Whether the GPU has a clock that can be read.
    pub fn has_clock(&self) -> bool {
        is_there(&self.device)
    }
}

impl Stopwatch {
    /// None where the device has no clock that can be read.
    pub fn new(device: &wgpu::Device) -> Option<Self> {
        is_there(device).then(|| Self {
            queries: device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("stopwatch"),
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            }),
            readings: device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("stopwatch"),
                size: SIZE,
                usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            }),
        })
    }
}

impl GpuEngine {
    /// Seconds that op `op` of a program takes when it plays `repeats` times in a row. Without a clock on the GPU, the
    /// way there and back is in it.
    pub async fn time(&mut self, program: ProgramId, op: usize, repeats: u32) -> Result<f64> {
        self.gpu.check()?;
        self.gpu.queue.write_buffer(&self.step, 0, bytemuck::bytes_of(&Step::default()));
        let stopwatch = self.stopwatch.get_or_insert_with(|| Stopwatch::new(&self.gpu.device));
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        {
            let timestamp_writes = stopwatch.as_ref().map(|stopwatch| wgpu::ComputePassTimestampWrites {
                query_set: &stopwatch.queries,
                beginning_of_pass_write_index: Some(0),
                end_of_pass_write_index: Some(1),
            });
            let descriptor = wgpu::ComputePassDescriptor { label: Some("timed"), timestamp_writes };
            let mut pass = encoder.begin_compute_pass(&descriptor);
            let dispatch = &self.programs[program][op];
            for _ in 0..repeats {
                dispatch.encode(&mut pass);
            }
        }
        let readings = stopwatch.as_ref().map(|stopwatch| {
            encoder.resolve_query_set(&stopwatch.queries, 0..2, &stopwatch.readings, 0);
            stopwatch.readings.clone()
        });
        let start = Instant::now();
        self.gpu.queue.submit([encoder.finish()]);
        let Some(readings) = readings else {
            // What is read last has waited for what was submitted first.
            self.read_buffer(&self.step.clone(), 0, size_of::<Step>() as u64).await?;
            return Ok(start.elapsed().as_secs_f64());
        };
        let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(&self.read_buffer(&readings, 0, SIZE).await?);
        let nanoseconds = ticks[1].saturating_sub(ticks[0]) as f64 * f64::from(self.gpu.queue.get_timestamp_period());
        Ok(nanoseconds * 1e-9)
    }
}
