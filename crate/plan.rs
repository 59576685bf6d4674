//! What a run will do and need, worked out before anything is allocated: parameters, buffers, recordings, bytes, FLOPs.

use serde::Serialize;

use crate::config::Config;
use crate::data::Dataset;
use crate::engine::Device;
use crate::error::{Error, Problem, Result};
use crate::kernels::embedding::EmbedShape;
use crate::kernels::pick::Pick;
use crate::layers::{Batch, Recorder};
use crate::model;
use crate::optimizer::{self, State};
use crate::parameters::Parameters;
use crate::tape::{Buffers, Purpose, Recording, Tape, Tensor};

/// What a run may allocate in all: what a wasm module can address with room to spare, else what few machines have.
const MOST_BYTES: f64 = if cfg!(target_arch = "wasm32") { 3.0 } else { 64.0 } * (1u64 << 30) as f64;

/// Where a chunk of logits stops growing: 64 MiB, half of what WebGPU promises for a binding.
const LARGEST_CHUNK: usize = 16 << 20;

pub struct Plan {
    pub parameters: Parameters,
    pub buffers: Buffers,
    pub weights: Tensor,
    pub gradients: Tensor,
    pub state: State,
    pub train: Pass,
    pub validate: Pass,
    pub sample: Pass,
}

/// A recording, what is uploaded before it plays, and where its result is.
pub struct Pass {
    pub recording: Recording,
    pub batch: Batch,
    pub shape: EmbedShape,
    /// Losses (B·T) of training and validation; tokens (T+1) of sampling.
    pub result: Tensor,
}

/// A plan in numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Trained numbers, padding left out.
    pub parameters: usize,
    pub bytes: Bytes,
    /// Floating-point operations of a training step, forward and backward, for each token.
    pub flops_per_token: u64,
    /// Kernels started in each step.
    pub dispatches: usize,
    pub tokens_per_step: usize,
}

/// Bytes by purpose, as allocated.
#[derive(Clone, Debug, Serialize)]
pub struct Bytes {
    pub parameters: u64,
    pub gradients: u64,
    pub optimizer: u64,
    pub activations: u64,
    pub total: u64,
}

impl Plan {
    /// The plan of a run on a text.
    ///
    /// # Errors
    /// Where the text is too short for the context, or as [`Self::new`].
    pub fn for_dataset(config: &Config, dataset: &Dataset, device: &Device) -> Result<Self> {
        let context = config.model.context as usize;
        dataset.check_context(context)?;
        dataset.validation_windows(context, config.evaluation.bytes as usize)?;
        Self::new(config, dataset.tokenizer.vocabulary_size(), device)
    }

    /// # Errors
    /// Where the run would take more memory than there can be, or a buffer more than the device can bind.
    pub fn new(config: &Config, vocabulary: usize, device: &Device) -> Result<Self> {
        check_total(config, vocabulary)?;
        let model = &config.model;
        let parameters = Parameters::new(model, vocabulary);
        let mut buffers = Buffers::default();
        let weights = buffers.add("parameters", Purpose::Parameters, parameters.len);
        let gradients = buffers.add("gradients", Purpose::Gradients, parameters.len);
        let state = State::new(config, &parameters, &mut buffers);
        let shape = |batch: u32| EmbedShape {
            batch: batch as usize,
            context: model.context as usize,
            vocabulary,
            width: model.width as usize,
        };

        let recorder = |shape: EmbedShape, batch, gradients| Recorder {
            tape: Tape::new(),
            parameters: &parameters,
            weights,
            gradients,
            batch,
            shape,
            largest: LARGEST_CHUNK,
        };
        let shape_of_step = shape(config.training.batch_size);
        let batch = add_batch(&mut buffers, shape_of_step);
        let losses = buffers.add("losses", Purpose::Traffic, shape_of_step.rows());

        let mut r = recorder(shape_of_step, batch, Some(gradients));
        model::loss(&mut r, model, losses);
        optimizer::record(&mut r.tape, config, &parameters, losses, weights, gradients, &state);
        let recording = r.tape.finish(&mut buffers);
        let train = Pass { recording, batch, shape: shape_of_step, result: losses };

        let mut r = recorder(shape_of_step, batch, None);
        model::loss(&mut r, model, losses);
        let recording = r.tape.finish(&mut buffers);
        let validate = Pass { recording, batch, shape: shape_of_step, result: losses };

        let shape_of_sample = shape(1);
        let batch = add_batch(&mut buffers, shape_of_sample);
        let mut r = recorder(shape_of_sample, batch, None);
        let logits = model::logits(&mut r, model);
        let pick = Pick { context: shape_of_sample.context, vocabulary };
        r.tape.push_last(pick, "next token", &[logits, batch.tokens]);
        let recording = r.tape.finish(&mut buffers);
        let sample = Pass { recording, batch, shape: shape_of_sample, result: batch.tokens };

        let plan = Self { parameters, buffers, weights, gradients, state, train, validate, sample };
        plan.check_fits(config, device)?;
        Ok(plan)
    }

    fn check_fits(&self, config: &Config, device: &Device) -> Result<()> {
        let Device::Gpu(gpu) = device else { return Ok(()) };
        let limit = gpu.largest_binding();
        let largest = self.buffers.specs.iter().max_by_key(|spec| spec.len).expect("a run has buffers");
        let bytes = largest.len as u64 * 4;
        if bytes <= limit {
            return Ok(());
        }
        let mib = |bytes: u64| bytes.div_ceil(1 << 20);
        let allowed = format!("buffers of at most {} MiB on {}", mib(limit), gpu.name);
        let needs = format!("`{}` would take {} MiB", largest.label, mib(bytes));
        Err(Error::refused(if largest.purpose == Purpose::Activations {
            let field = "training.batch_size";
            let advice = format!("{needs}: take a smaller batch or context.");
            Problem::new(field, config.training.batch_size, allowed, advice)
        } else {
            let advice = format!("{needs}: take a narrower model, fewer layers or a smaller vocabulary.");
            Problem::new("model.width", config.model.width, allowed, advice)
        }))
    }

    pub fn summary(&self) -> Summary {
        let bytes = |purpose| self.buffers.bytes(purpose);
        let bytes = Bytes {
            parameters: bytes(Purpose::Parameters),
            gradients: bytes(Purpose::Gradients),
            optimizer: bytes(Purpose::Optimizer),
            activations: bytes(Purpose::Activations),
            total: self.buffers.specs.iter().map(|spec| spec.len as u64 * 4).sum(),
        };
        let tokens_per_step = self.train.shape.rows();
        Summary {
            parameters: self.parameters.count(),
            bytes,
            flops_per_token: self.train.recording.flops() / tokens_per_step as u64,
            dispatches: self.train.recording.ops.len(),
            tokens_per_step,
        }
    }
}

/// Refuses what could not be planned at all: sizes of tensors are counted in `usize`, which has 32 bits in wasm.
/// Rough on purpose; [`Plan::summary`] has the exact bytes.
fn check_total(config: &Config, vocabulary: usize) -> Result<()> {
    let model = &config.model;
    let [width, hidden, context, layers] = [model.width, model.hidden, model.context, model.layers].map(f64::from);
    let vocabulary = vocabulary as f64;
    let rows = f64::from(config.training.batch_size) * context;
    // Parameters, gradients and two moments, then what each layer keeps for its backward pass.
    let parameters =
        16.0 * (2.0 * vocabulary * width + context * width + layers * width * (4.0 * width + 2.0 * hidden));
    let logits = (rows * vocabulary).min(LARGEST_CHUNK as f64);
    let activations = 4.0 * (rows * layers * (8.0 * width + 2.0 * hidden) + logits);
    if parameters + activations <= MOST_BYTES {
        return Ok(());
    }
    let gib = |bytes: f64| (bytes / f64::from(1 << 30)).ceil();
    let allowed = format!("runs of at most {} GiB", gib(MOST_BYTES));
    let needs = format!("This one would take about {} GiB", gib(parameters + activations));
    Err(Error::refused(if activations > parameters {
        let advice = format!("{needs}: take a smaller batch, context or model.");
        Problem::new("training.batch_size", config.training.batch_size, allowed, advice)
    } else {
        let advice = format!("{needs}: take a narrower model or fewer layers.");
        Problem::new("model.width", model.width, allowed, advice)
    }))
}

fn add_batch(buffers: &mut Buffers, shape: EmbedShape) -> Batch {
    Batch {
        tokens: buffers.add("tokens", Purpose::Traffic, shape.tokens_len()),
        starts: buffers.add("token starts", Purpose::Traffic, shape.starts_len()),
        order: buffers.add("token order", Purpose::Traffic, shape.rows()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_cannot_be_are_refused_before_they_are_planned() {
        let mut config = Config::default();
        config.training.batch_size = 1024;
        config.model.context = 8192;
        config.model.layers = 48;
        let error = Plan::new(&config, 256, &Device::Cpu).err().expect("too many activations").to_string();
        assert!(error.starts_with("training.batch_size is 1024; allowed: runs of at most"), "{error}");

        let mut config = Config::default();
        (config.model.width, config.model.hidden, config.model.layers) = (4096, 16_384, 48);
        let error = Plan::new(&config, 256, &Device::Cpu).err().expect("too many parameters").to_string();
        assert!(error.starts_with("model.width is 4096"), "{error}");
    }

    #[test]
    fn bytes_by_purpose_add_up() {
        let summary = Plan::new(&Config::default(), 56, &Device::Cpu).unwrap().summary();
        let Bytes { parameters, gradients, optimizer, activations, total } = summary.bytes;
        assert_eq!(optimizer, 2 * parameters);
        assert_eq!(gradients, parameters);
        assert!(parameters >= 4 * summary.parameters as u64);
        // Tokens and metrics are the rest.
        assert!((parameters + gradients + optimizer + activations..).contains(&total));
    }
}
