//! What shaders are told of their ops' sizes (`var<uniform> sizes`): each list of numbers once, side by side in a buffer.

use std::collections::HashMap;

use super::Gpu;

/// From one list to the next: the alignment that every device has.
const STRIDE: u64 = 256;
/// Lists of a buffer: more than a run has, but for those whose optimizer has products of its own for every matrix.
const COUNT: u64 = 64;

pub struct Sizes {
    buffers: Vec<wgpu::Buffer>,
    places: HashMap<Vec<u32>, u64>,
}

impl Sizes {
    /// What is allocated at first.
    pub const BYTES: u64 = STRIDE * COUNT;

    pub fn new(device: &wgpu::Device) -> Self {
        Self { buffers: vec![buffer(device)], places: HashMap::new() }
    }

    pub fn allocated_bytes(&self) -> u64 {
        Self::BYTES * self.buffers.len() as u64
    }

    /// Where such a list lies, written there if it is new: its buffer, and the bytes in it.
    pub fn place(&mut self, gpu: &Gpu, sizes: &[u32]) -> (wgpu::Buffer, u64, Option<wgpu::BufferSize>) {
        let next = self.places.len() as u64;
        let place = *self.places.entry(sizes.to_vec()).or_insert(next);
        let (index, offset) = ((place / COUNT) as usize, place % COUNT * STRIDE);
        if index == self.buffers.len() {
            self.buffers.push(buffer(&gpu.device));
        }
        let bytes: &[u8] = bytemuck::cast_slice(sizes);
        if place == next {
            gpu.queue.write_buffer(&self.buffers[index], offset, bytes);
        }
        (self.buffers[index].clone(), offset, wgpu::BufferSize::new(bytes.len() as u64))
    }
}

fn buffer(device: &wgpu::Device) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("sizes"),
        size: Sizes::BYTES,
        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}
