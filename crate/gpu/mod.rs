//! The GPU, through wgpu: WebGPU in the page; Vulkan, Metal or DX12 natively. Nothing outside this folder knows wgpu.
//!
//! - `shader.rs` composes WGSL;
//! - this file finds a device and what it can do;
//! - `engine.rs` holds a run's buffers and pipelines on it and replays recordings;
//! - `pacing.rs` cuts a step into submits that leave the desktop its frames;
//! - `readback.rs` brings numbers back without waiting for them;
//! - `timing.rs` says how long an op takes.

mod engine;
mod pacing;
mod readback;
pub mod shader;
mod sizes;
mod timing;

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex};

pub use engine::GpuEngine;

use crate::error::{Error, Result};
use crate::tuning::{self, Tilings};

/// A GPU that was found and opened.
pub struct Gpu {
    device: wgpu::Device,
    queue: wgpu::Queue,
    pub name: String,
    /// Shaders run on the CPU (SwiftShader, llvmpipe): the CPU device is much faster.
    pub software: bool,
    /// How matrix products are cut up on this adapter, as far as it was measured.
    pub tilings: RefCell<Tilings>,
    /// What a run may spend on measuring before its first step, in seconds.
    pub tuning_budget: Cell<f64>,
    trouble: Arc<Mutex<Trouble>>,
}

/// What the device reported by itself since it was opened.
#[derive(Default)]
struct Trouble {
    lost: Option<String>,
    error: Option<String>,
}

impl Gpu {
    /// Opens the fastest adapter there is, with its own limits on buffer sizes and WebGPU's default limits otherwise.
    ///
    /// # Errors
    /// Where there is no adapter, with what to do about it.
    pub async fn open() -> Result<Self> {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = wgpu::Backends::PRIMARY;
        let instance = wgpu::Instance::new(descriptor);
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..Default::default()
        };
        let adapter = instance.request_adapter(&options).await.map_err(|error| {
            Error::Device(if cfg!(target_arch = "wasm32") {
                "no GPU was found: use a browser with WebGPU (Chrome or Edge 113, Safari 26, Firefox 141 or newer) \
                 with hardware acceleration switched on, or train on the CPU device"
                    .to_owned()
            } else {
                format!(
                    "no GPU was found ({error}): install a Vulkan driver (mesa-vulkan-drivers on Debian), or train \
                     on the CPU device"
                )
            })
        })?;
        let info = adapter.get_info();
        let supported = adapter.limits();
        let limits = wgpu::Limits {
            max_buffer_size: supported.max_buffer_size,
            max_storage_buffer_binding_size: supported.max_storage_buffer_binding_size,
            ..wgpu::Limits::default()
        };
        let (device, queue) = adapter
            .request_device(&wgpu::DeviceDescriptor {
                label: Some("trainlab"),
                required_features: adapter.features() & wgpu::Features::TIMESTAMP_QUERY,
                required_limits: limits,
                ..Default::default()
            })
            .await
            .map_err(|error| Error::Device(format!("the GPU refused to open: {error}. Train on the CPU device.")))?;

        let trouble = Arc::new(Mutex::new(Trouble::default()));
        let on_lost = Arc::clone(&trouble);
        device.set_device_lost_callback(move |reason, message| {
            let message = if message.is_empty() { format!("{reason:?}").to_lowercase() } else { message };
            on_lost.lock().expect("no panic while locked").lost.get_or_insert(message);
        });
        let on_error = Arc::clone(&trouble);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let message = match error {
                wgpu::Error::OutOfMemory { .. } => "the GPU has too little memory for this run: take a smaller \
                     training.batch_size, or keep it and raise training.accumulation"
                    .to_owned(),
                other => format!("the GPU refused a command: {other}"),
            };
            on_error.lock().expect("no panic while locked").error.get_or_insert(message);
        }));
        let software = info.device_type == wgpu::DeviceType::Cpu;
        let tuning_budget = Cell::new(if software { 0.0 } else { tuning::BUDGET });
        Ok(Self { device, queue, name: info.name, software, tilings: RefCell::default(), tuning_budget, trouble })
    }

    /// The largest buffer that a kernel can be bound to, in bytes.
    pub fn largest_binding(&self) -> u64 {
        let limits = self.device.limits();
        limits.max_storage_buffer_binding_size.min(limits.max_buffer_size)
    }

    /// What went wrong since the last call to a GPU that answers later than it is asked.
    pub fn check(&self) -> Result<()> {
        let mut trouble = self.trouble.lock().expect("no panic while locked");
        if let Some(reason) = &trouble.lost {
            return Err(Error::DeviceLost(reason.clone()));
        }
        // Said once: a run that asked for too much does not stand in the way of the next.
        trouble.error.take().map_or(Ok(()), |message| Err(Error::Device(message)))
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use std::rc::Rc;

    use crate::config::{Config, TokenizerKind};
    use crate::data::Dataset;
    use crate::engine::{Device, DeviceChoice};
    use crate::error::Error;
    use crate::trainer::Trainer;

    /// What a driver's crash does: whatever the run is asked then, it says that the device is lost.
    #[test]
    fn a_lost_device_is_told_by_whatever_the_run_is_asked() {
        let (device, _) = pollster::block_on(Device::open(DeviceChoice::Gpu)).expect("a GPU, or a software adapter");
        // Never dropped: dropped with its thread, it would reach for thread-locals of wgpu's that are gone already.
        let device: &Device = Box::leak(Box::new(device));
        let Device::Gpu(gpu) = device else { panic!("the GPU was asked for") };
        let mut config = Config::default();
        (config.model.layers, config.model.width, config.model.hidden, config.model.heads) = (1, 8, 12, 2);
        (config.model.context, config.training.batch_size) = (8, 2);
        let text = "the cat sat on the mat. ".repeat(20);
        let dataset = Rc::new(Dataset::new(&text, TokenizerKind::Characters, 0.4).expect("a good text"));
        let start = || pollster::block_on(Trainer::new(&config, Rc::clone(&dataset), device, |_, _| ()));
        let mut trainer = start().expect("a good config");
        for _ in 0..2 {
            trainer.step().expect("the device is there");
        }
        trainer.settle().expect("the device is there");

        gpu.device.destroy();
        let told: Vec<(&str, Option<Error>)> = vec![
            ("checkpoint", pollster::block_on(trainer.checkpoint()).err()),
            ("evaluate", pollster::block_on(trainer.evaluate()).err()),
            ("sample", pollster::block_on(trainer.sample(&config.evaluation)).err()),
            ("step and settle", trainer.step().and_then(|()| trainer.settle()).err()),
            ("collect", trainer.collect().err()),
            ("start", start().err()),
        ];
        for (asked, error) in told {
            assert!(matches!(error, Some(Error::DeviceLost(_))), "{asked}: {error:?}");
        }
        assert_eq!(trainer.finished(), 2, "what was done before is known");
    }
}
