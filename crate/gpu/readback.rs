//! A ring of staging buffers: numbers are copied out after a step and mapped when the GPU gets there, while the next
//! steps are already under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::error::{Error, Result};

const FREE: u8 = 0;
const PENDING: u8 = 1;
const READY: u8 = 2;
const FAILED: u8 = 3;

/// Names a read that was started; they complete in the order in which they were started.
pub type Ticket = u64;

pub struct Readback {
    slots: Vec<Slot>,
    next: Ticket,
    oldest: Ticket,
}

struct Slot {
    buffer: wgpu::Buffer,
    len: usize,
    state: Arc<AtomicU8>,
}

impl Readback {
    /// `slots` reads of at most `len` elements each can be under way.
    pub fn new(device: &wgpu::Device, slots: usize, len: usize) -> Self {
        let slot = |i| Slot {
            buffer: device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(&format!("readback {i}")),
                size: len as u64 * 4,
                usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            }),
            len,
            state: Arc::new(AtomicU8::new(FREE)),
        };
        Self { slots: (0..slots).map(slot).collect(), next: 0, oldest: 0 }
    }

    pub fn allocated_bytes(&self) -> u64 {
        self.slots.iter().map(|slot| slot.buffer.size()).sum()
    }

    pub fn is_full(&self) -> bool {
        self.next - self.oldest == self.slots.len() as u64
    }

    pub fn is_empty(&self) -> bool {
        self.next == self.oldest
    }

    /// Adds the copy of a range of `source` to what is being encoded.
    pub fn copy(&mut self, encoder: &mut wgpu::CommandEncoder, source: &wgpu::Buffer, offset: usize, len: usize) {
        assert!(!self.is_full(), "more reads than slots");
        let count = self.slots.len() as u64;
        let slot = &mut self.slots[(self.next % count) as usize];
        slot.len = len;
        encoder.copy_buffer_to_buffer(source, offset as u64 * 4, &slot.buffer, 0, len as u64 * 4);
    }

    /// Starts to map what `copy` has copied, once that is submitted.
    pub fn map(&mut self) -> Ticket {
        let ticket = self.next;
        self.next += 1;
        let slot = &self.slots[(ticket % self.slots.len() as u64) as usize];
        slot.state.store(PENDING, Ordering::Release);
        let state = Arc::clone(&slot.state);
        slot.buffer.slice(..slot.len as u64 * 4).map_async(wgpu::MapMode::Read, move |result| {
            state.store(if result.is_ok() { READY } else { FAILED }, Ordering::Release);
        });
        ticket
    }

    /// The oldest read, if it has arrived.
    pub fn take(&mut self) -> Result<Option<(Ticket, Vec<f32>)>> {
        if self.is_empty() {
            return Ok(None);
        }
        let slot = &self.slots[(self.oldest % self.slots.len() as u64) as usize];
        match slot.state.load(Ordering::Acquire) {
            READY => {
                let data = {
                    let view = slot
                        .buffer
                        .slice(..slot.len as u64 * 4)
                        .get_mapped_range()
                        // What was mapped is gone: the device went away, and its own word of it is still on the way. That of
                        // a browser is a stack trace.
                        .map_err(|_| unread())?;
                    bytemuck::pod_collect_to_vec(&view)
                };
                slot.buffer.unmap();
                slot.state.store(FREE, Ordering::Release);
                self.oldest += 1;
                Ok(Some((self.oldest - 1, data)))
            }
            FAILED => Err(unread()),
            _ => Ok(None),
        }
    }
}

fn unread() -> Error {
    Error::DeviceLost("a result could not be read back".to_owned())
}
