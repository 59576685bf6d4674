//! A run on the GPU: its buffers, and its recordings as pipelines and bind groups that are made once and replayed.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use web_time::Instant;

use super::Gpu;
use super::pacing::{self, Pacing};
use super::readback::{Readback, Ticket};
use super::shader::Shader;
use super::sizes::Sizes;
use super::timing::Stopwatch;
use crate::engine::ProgramId;
use crate::error::{Error, Result};
use crate::kernels::{Access, Binding, Step};
use crate::tape::{BufferId, Buffers, Op, Recording, Tensor};

/// Steps whose results may be under way: enough to keep the GPU busy, few enough to stop soon.
const IN_FLIGHT: usize = 8;

pub struct GpuEngine {
    pub(super) gpu: Rc<Gpu>,
    /// Bytes of the largest buffer that a read was staged in.
    staged: u64,
    buffers: Vec<wgpu::Buffer>,
    pub(super) step: wgpu::Buffer,
    pub(super) programs: Vec<Vec<Dispatch>>,
    pipelines: HashMap<String, Rc<Pipeline>>,
    sizes: Sizes,
    readback: Readback,
    /// Made when something is first timed; None inside where the GPU has no clock.
    pub(super) stopwatch: Option<Option<Stopwatch>>,
    pacing: Pacing,
    /// What the reads under way wait for, the oldest first; see [`Pacing`].
    marks: VecDeque<u64>,
    begin: Instant,
    submits: u64,
}

struct Pipeline {
    pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
}

/// One op, ready to be encoded.
pub struct Dispatch {
    pipeline: Rc<Pipeline>,
    bind_group: wgpu::BindGroup,
    grid: [u32; 2],
    /// What it costs, for [`Pacing`].
    units: u64,
}

impl Dispatch {
    pub fn encode(&self, pass: &mut wgpu::ComputePass) {
        pass.set_pipeline(&self.pipeline.pipeline);
        pass.set_bind_group(0, &self.bind_group, &[]);
        pass.dispatch_workgroups(self.grid[0], self.grid[1], 1);
    }
}

impl GpuEngine {
    /// Allocates `buffers`; they start as zeros, tables as what they hold. `read_len` is the most that one `start_read` brings back.
    pub fn new(gpu: Rc<Gpu>, buffers: &Buffers, read_len: usize) -> Result<Self> {
        gpu.check()?;
        let buffers = buffers.specs.iter().map(|spec| {
            let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(&spec.label),
                size: spec.len as u64 * 4,
                usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            if let Some(table) = &spec.table {
                let values: Vec<f32> = table.values().into_iter().map(|value| value as f32).collect();
                gpu.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(&values));
            }
            buffer
        });
        let buffers = buffers.collect();
        let step = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("step"),
            size: size_of::<Step>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        let readback = Readback::new(&gpu.device, IN_FLIGHT, read_len);
        let sizes = Sizes::new(&gpu.device);
        Ok(Self {
            gpu,
            staged: 0,
            buffers,
            step,
            programs: vec![],
            pipelines: HashMap::new(),
            sizes,
            readback,
            stopwatch: None,
            pacing: Pacing::new(),
            marks: VecDeque::with_capacity(IN_FLIGHT),
            begin: Instant::now(),
            submits: 0,
        })
    }

    /// What an engine allocates beside the buffers it is given, before anything is read but metrics.
    pub fn own_bytes(read_len: usize) -> u64 {
        (size_of::<Step>() + IN_FLIGHT * read_len * 4) as u64 + Sizes::BYTES
    }

    /// What there is and was on the GPU at most, by the sizes of the buffers themselves.
    pub fn allocated_bytes(&self) -> u64 {
        let buffers: u64 = self.buffers.iter().map(wgpu::Buffer::size).sum();
        buffers + self.step.size() + self.sizes.allocated_bytes() + self.readback.allocated_bytes() + self.staged
    }

    /// Compiles what is new in a recording and binds it. `progress` is told (ops done, ops in all).
    ///
    /// # Errors
    /// [`Error::Shader`] with the composed source where one does not compile.
    pub async fn add(&mut self, recording: &Recording, progress: &mut dyn FnMut(usize, usize)) -> Result<ProgramId> {
        let mut program = Vec::with_capacity(recording.ops.len());
        for (i, op) in recording.ops.iter().enumerate() {
            progress(i, recording.ops.len());
            let shader = op.kernel.shader();
            let pipeline = self.pipeline(&shader).await?;
            let bind_group = self.bind(op, &pipeline, &shader.sizes());
            program.push(Dispatch { pipeline, bind_group, grid: shader.grid, units: pacing::units(op) });
        }
        self.gpu.check()?;
        self.programs.push(program);
        Ok(self.programs.len() - 1)
    }

    async fn pipeline(&mut self, shader: &Shader) -> Result<Rc<Pipeline>> {
        let source = shader.compose();
        if let Some(pipeline) = self.pipelines.get(&source) {
            return Ok(Rc::clone(pipeline));
        }
        let device = &self.gpu.device;
        let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(shader.name),
            source: wgpu::ShaderSource::Wgsl(source.as_str().into()),
        });
        let mut entries: Vec<_> = shader.bindings.iter().enumerate().map(|(i, b)| layout_entry(i, Some(b))).collect();
        // The step, and the sizes where it has any.
        let uniforms = if shader.sizes().is_empty() { 1 } else { 2 };
        entries.extend((0..uniforms).map(|i| layout_entry(shader.bindings.len() + i, None)));
        let layout = device
            .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(shader.name), entries: &entries });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(shader.name),
            layout: Some(&device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(shader.name),
                bind_group_layouts: &[Some(&layout)],
                ..Default::default()
            })),
            module: &module,
            entry_point: Some("main"),
            compilation_options: Default::default(),
            cache: None,
        });
        if let Some(error) = scope.pop().await {
            return Err(Error::Shader { name: shader.name.to_owned(), message: error.to_string(), source });
        }
        let pipeline = Rc::new(Pipeline { pipeline, layout });
        self.pipelines.insert(source, Rc::clone(&pipeline));
        Ok(pipeline)
    }

    fn bind(&mut self, op: &Op, pipeline: &Pipeline, sizes: &[u32]) -> wgpu::BindGroup {
        let sizes = (!sizes.is_empty()).then(|| self.sizes.place(&self.gpu, sizes));
        let mut entries: Vec<wgpu::BindGroupEntry> = op
            .tensors
            .iter()
            .enumerate()
            .map(|(i, tensor)| wgpu::BindGroupEntry {
                binding: i as u32,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer: self.buffer(*tensor),
                    offset: tensor.offset as u64 * 4,
                    size: wgpu::BufferSize::new(tensor.len as u64 * 4),
                }),
            })
            .collect();
        entries.push(wgpu::BindGroupEntry { binding: entries.len() as u32, resource: self.step.as_entire_binding() });
        if let Some((buffer, offset, size)) = &sizes {
            let resource = wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset: *offset, size: *size });
            entries.push(wgpu::BindGroupEntry { binding: entries.len() as u32, resource });
        }
        self.gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(&op.label),
            layout: &pipeline.layout,
            entries: &entries,
        })
    }

    fn buffer(&self, tensor: Tensor) -> &wgpu::Buffer {
        match tensor.buffer {
            BufferId::Placed(i) => &self.buffers[i],
            BufferId::Transient(_) => panic!("a finished recording has placed its transients"),
        }
    }

    /// Uploads `data` (4-byte elements) to the start of `tensor`, in order with what is submitted.
    pub fn write(&mut self, tensor: Tensor, data: &[u8]) {
        assert!(data.len() <= tensor.len * 4, "{} bytes do not fit in {} elements", data.len(), tensor.len);
        self.gpu.queue.write_buffer(self.buffer(tensor), tensor.offset as u64 * 4, data);
    }

    /// Submits ops of a program, in as many parts as [`Pacing`] wants; where `read` is given, starts to bring that tensor
    /// back after them.
    pub fn run(
        &mut self,
        program: ProgramId,
        ops: std::ops::Range<usize>,
        step: &Step,
        read: Option<Tensor>,
    ) -> Result<Option<Ticket>> {
        self.gpu.check()?;
        self.gpu.queue.write_buffer(&self.step, 0, bytemuck::bytes_of(step));
        let mut rest = &self.programs[program][ops];
        loop {
            let count = self.pacing.next_submit(rest.iter().map(|dispatch| dispatch.units)).min(rest.len());
            let (dispatches, later) = rest.split_at(count);
            let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
            {
                let mut pass = encoder.begin_compute_pass(&Default::default());
                for dispatch in dispatches {
                    dispatch.encode(&mut pass);
                }
            }
            let read = read.filter(|_| later.is_empty());
            if let Some(tensor) = read {
                let BufferId::Placed(i) = tensor.buffer else { panic!("only placed tensors are read") };
                self.readback.copy(&mut encoder, &self.buffers[i], tensor.offset, tensor.len);
            }
            self.gpu.queue.submit([encoder.finish()]);
            self.submits += 1;
            let units = dispatches.iter().map(|dispatch| dispatch.units).sum();
            let mark = self.pacing.submitted(units, self.begin.elapsed().as_secs_f64());
            if later.is_empty() {
                return Ok(read.map(|_| {
                    self.marks.push_back(mark);
                    self.readback.map()
                }));
            }
            rest = later;
        }
    }

    /// Whether another `run` that reads can be submitted now.
    pub fn has_room(&self) -> bool {
        !self.readback.is_full() && self.pacing.has_room()
    }

    /// Cuts what is submitted into parts expected to take at most so many seconds.
    pub fn limit_submits(&mut self, seconds: f64) {
        self.pacing.longest_submit = seconds;
    }

    /// Submits of ops so far.
    pub fn submits(&self) -> u64 {
        self.submits
    }

    fn taken(&mut self) -> Result<Option<(Ticket, Vec<f32>)>> {
        let arrived = self.readback.take()?;
        if arrived.is_some()
            && let Some(mark) = self.marks.pop_front()
        {
            self.pacing.finished(mark, self.begin.elapsed().as_secs_f64());
        }
        Ok(arrived)
    }

    /// The oldest read that has arrived, without waiting.
    pub fn poll(&mut self) -> Result<Option<(Ticket, Vec<f32>)>> {
        self.gpu.check()?;
        let _ = self.gpu.device.poll(wgpu::PollType::Poll);
        self.taken()
    }

    /// Waits until a read arrives; None when none is under way. Not for the page: a worker yields instead.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn wait(&mut self) -> Result<Option<(Ticket, Vec<f32>)>> {
        loop {
            if self.readback.is_empty() {
                return Ok(None);
            }
            if let Some(arrived) = self.taken()? {
                return Ok(Some(arrived));
            }
            self.gpu.check()?;
            self.gpu
                .device
                .poll(wgpu::PollType::wait_indefinitely())
                .map_err(|error| Error::DeviceLost(error.to_string()))?;
        }
    }

    /// Brings a tensor back and waits for it: for evaluation, samples and tests, never for the training loop.
    pub async fn read(&mut self, tensor: Tensor) -> Result<Vec<u8>> {
        let size = tensor.len as u64 * 4;
        let bytes = self.read_buffer(self.buffer(tensor), tensor.offset as u64 * 4, size).await?;
        self.staged = self.staged.max(size);
        self.pacing.all_finished(self.begin.elapsed().as_secs_f64());
        Ok(bytes)
    }

    /// Brings `size` bytes of a buffer back, once all that was submitted before is done.
    pub(super) async fn read_buffer(&self, buffer: &wgpu::Buffer, offset: u64, size: u64) -> Result<Vec<u8>> {
        let device = &self.gpu.device;
        let staging = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("read"),
            size,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut encoder = device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(buffer, offset, &staging, 0, size);
        self.gpu.queue.submit([encoder.finish()]);
        let (sender, receiver) = futures_channel::oneshot::channel();
        staging.slice(..).map_async(wgpu::MapMode::Read, move |result| {
            // The receiver is gone only when the reader gave up.
            let _ = sender.send(result);
        });
        let _ = device.poll(wgpu::PollType::wait_indefinitely());
        let lost = |reason: String| self.gpu.check().err().unwrap_or(Error::DeviceLost(reason));
        receiver.await.map_err(|error| lost(error.to_string()))?.map_err(|error| lost(error.to_string()))?;
        let view = staging.slice(..).get_mapped_range().map_err(|error| lost(error.to_string()))?;
        Ok(view.to_vec())
    }
}

fn layout_entry(index: usize, binding: Option<&Binding>) -> wgpu::BindGroupLayoutEntry {
    let ty = match binding {
        Some(binding) => wgpu::BufferBindingType::Storage { read_only: binding.access == Access::Read },
        None => wgpu::BufferBindingType::Uniform,
    };
    wgpu::BindGroupLayoutEntry {
        binding: index as u32,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    }
}
