//! What a run will do and need, worked out before anything is allocated: parameters, buffers, recordings, bytes, FLOPs.

mod limits;
mod upload;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::config::{Config, Position};
use crate::cost::{self, Law, PartWork, Price};
use crate::data::Dataset;
use crate::engine::Device;
use crate::error::Result;
use crate::gpu::GpuEngine;
use crate::kernels::embedding::EmbedShape;
use crate::kernels::pick::{Pick, Picks};
use crate::kernels::position::Table;
use crate::layers::{Batch, Packed, Recorder};
use crate::model;
use crate::optimizer::{self, State};
use crate::parameters::{Parameters, Parts};
use crate::tape::{BufferId, BufferSpec, Buffers, Purpose, Recording, Tape, Tensor};

pub(crate) use limits::fits_cpu;
pub use upload::Uploader;

/// Where a chunk of logits stops growing: 64 MiB, half of what WebGPU promises for a binding.
pub(crate) const LARGEST_CHUNK: usize = 16 << 20;

pub struct Plan {
    pub parameters: Parameters,
    pub buffers: Buffers,
    pub weights: Tensor,
    pub gradients: Tensor,
    pub state: State,
    /// A whole step, micro-batch by micro-batch.
    pub train: Pass,
    /// What comes before some steps: Sophia's estimate, micro-batch by micro-batch.
    pub estimate: Option<Pass>,
    /// What the first steps play in place of these, where sequences are shorter there; in the order of the steps.
    pub shorter: Vec<Shorter>,
    pub validate: Pass,
    /// By how much each validated target's logit lies below the likeliest token's (B·T).
    pub margins: Tensor,
    pub decode: Decode,
    pub bytes: Bytes,
    /// Floating-point operations of a step, and of an estimate, as recorded: however a device then cuts them up, a run counts
    /// the same.
    step_flops: f64,
    estimate_flops: f64,
    /// Steps from one estimate to the next.
    estimate_every: u32,
    /// The MLP's hidden size.
    pub hidden: u32,
    /// How attention's share grows with the context.
    law: Law,
}

/// The steps up to `last` that those before leave: at shorter sequences, and as many more of them.
pub struct Shorter {
    pub last: u32,
    pub train: Pass,
    pub estimate: Option<Pass>,
    step_flops: f64,
    estimate_flops: f64,
}

/// A recording, what is uploaded before it plays, and where its result is.
pub struct Pass {
    pub recording: Recording,
    pub batch: Batch,
    /// Of what is uploaded at once: a micro-batch of training.
    pub shape: EmbedShape,
    /// Losses (B·T).
    pub result: Tensor,
}

/// The recording that writes text: each replay reads the token at `step.position` and picks the next.
pub struct Decode {
    pub recording: Recording,
    /// How many of its ops only read the token.
    pub reading: usize,
    pub context: usize,
    /// (T+1)
    pub tokens: Tensor,
    pub picks: Picks,
}

/// A plan in numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Trained numbers, padding left out.
    pub parameters: usize,
    /// Where they are.
    pub parts: Parts,
    /// The MLP's hidden size as it is made: with a gate it may be less than the config's.
    pub hidden: u32,
    pub bytes: Bytes,
    /// What the optimizer keeps, as allocated.
    pub optimizer_bytes_per_parameter: f64,
    /// Floating-point operations of a training step, forward and backward, for each token; of what only some steps do, its
    /// share.
    pub flops_per_token: u64,
    /// The same for each part of a step; of what only some steps do, nothing.
    pub work: Vec<PartWork>,
    /// What attention is in that, and at which context it would be half.
    pub length: Price,
    /// Kernels started in each step; not counted, what only some steps do.
    pub dispatches: usize,
    pub tokens_per_step: usize,
}

/// Bytes by purpose, as allocated on the device.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Bytes {
    pub parameters: u64,
    pub gradients: u64,
    pub optimizer: u64,
    /// What a step computes on the way, what its kernels take for themselves, and the caches of sampling.
    pub activations: u64,
    /// Tokens and tables in, metrics out, checkpoints.
    pub traffic: u64,
    /// All that the replicas take which share the batches, on the CPU; the others are then the run's own.
    pub replicas: u64,
    pub total: u64,
}

impl Plan {
    /// The plan of a run on a text.
    ///
    /// # Errors
    /// Where the text is too short for the context, or as [`Self::new`].
    pub fn for_dataset(config: &Config, dataset: &Dataset, device: &Device) -> Result<Self> {
        dataset.check_context(config.model.context as usize, config.evaluation_context() as usize)?;
        Self::new(config, dataset.tokenizer.vocabulary_size(), device)
    }

    /// # Errors
    /// Where the run does not fit the device, with the largest batch that does.
    pub fn new(config: &Config, vocabulary: usize, device: &Device) -> Result<Self> {
        limits::plan(config, vocabulary, device)
    }

    /// Plans a run whether it fits or not.
    fn record(config: &Config, vocabulary: usize, device: &Device) -> Self {
        Self::record_part(config, vocabulary, config.training.micro_batch(), device)
    }

    /// Plans what makes the gradients of `sequences` of the sequences of each micro-batch; what reads or updates whole batches
    /// is not to be played.
    pub(crate) fn of_part(config: &Config, vocabulary: usize, sequences: u32) -> Self {
        Self::record_part(config, vocabulary, sequences, &Device::Cpu)
    }

    fn record_part(config: &Config, vocabulary: usize, sequences: u32, device: &Device) -> Self {
        let model = &config.model;
        let parameters = Parameters::new(model, vocabulary);
        let mut buffers = Buffers::default();
        let weights = buffers.add("parameters", Purpose::Parameters, parameters.len);
        let gradients = buffers.add("gradients", Purpose::Gradients, parameters.len);
        let state = State::new(config, &parameters, &mut buffers);
        let [context, context_of_validation] = [model.context, config.evaluation_context()].map(|n| n as usize);
        let shape = |batch: u32| EmbedShape { batch: batch as usize, context, vocabulary, width: model.width as usize };
        let table = Table::of(model, context.max(context_of_validation));
        let positions = table.map(|table| buffers.add_table("positions", table));

        let micro_batches = config.training.accumulation as usize;
        let recorder = |shape: EmbedShape, batch, gradients| Recorder {
            tape: Tape::new(),
            parameters: &parameters,
            weights,
            gradients,
            decodes: false,
            batch,
            positions,
            shape,
            rows_of_step: config.training.batch_size as usize * context,
            labels: None,
            margins: None,
            accumulate: false,
            checkpointing: config.training.checkpointing,
            largest: LARGEST_CHUNK,
            kept: Default::default(),
        };
        let shape_of_batch = shape(sequences);
        let shorter_contexts = config.shorter_contexts();
        let shorter_shape = |length: u32| {
            let batch = shape_of_batch.rows() / length as usize;
            EmbedShape { batch, context: length as usize, ..shape_of_batch }
        };
        // The shorter the sequences, the more of them, and each has one token more than it is long.
        let longest = shorter_contexts.first().map_or(shape_of_batch, |&(length, _)| shorter_shape(length));
        let uploads = add_batch(&mut buffers, longest, config);
        let batch_of = |shape| uploads.of(shape);
        let batch = batch_of(shape_of_batch);
        // Validations and samples read one text a row.
        let whole = Batch { packed: None, ..batch };
        let losses = buffers.add("losses", Purpose::Traffic, shape_of_batch.rows());

        let pass = |shape, recording| Pass { recording, batch: batch_of(shape), shape, result: losses };
        let gradients_of = |shape, labels| {
            let mut r = Recorder { labels, ..recorder(shape, batch_of(shape), Some(gradients)) };
            model::loss(&mut r, config, losses);
            if micro_batches > 1 {
                // The first micro-batch writes the gradients, the others add to them.
                r.tape.repeat(micro_batches - 1);
                r.accumulate = true;
                model::loss(&mut r, config, losses);
            }
            r.tape
        };
        let labels =
            optimizer::estimates(config, 1).then(|| buffers.add("labels", Purpose::Traffic, longest.tokens_len()));
        let mut passes = |shape: EmbedShape| {
            let mut tape = gradients_of(shape, None);
            optimizer::record(&mut tape, config, &parameters, losses, weights, gradients, &state);
            let train = pass(shape, tape.finish(&mut buffers));
            let estimate = labels.map(|labels| {
                let mut tape = gradients_of(shape, Some(labels.slice(0..shape.tokens_len())));
                optimizer::record_estimate(&mut tape, config, losses, gradients, &state);
                pass(shape, tape.finish(&mut buffers))
            });
            (train, estimate)
        };
        let (train, estimate) = passes(shape_of_batch);
        let of_length = |(length, last)| {
            let (train, estimate) = passes(shorter_shape(length));
            let [step_flops, estimate_flops] = [flops(Some(&train)), flops(estimate.as_ref())];
            Shorter { last, train, estimate, step_flops, estimate_flops }
        };
        let shorter = shorter_contexts.into_iter().map(of_length).collect();

        let mut validate = Pass { recording: Recording::default(), batch: whole, ..train };
        if context_of_validation != context {
            // About as many tokens at once as in training, and a whole sequence at least.
            let batch = (shape_of_batch.rows() / context_of_validation).max(1);
            validate.shape = EmbedShape { batch, context: context_of_validation, ..shape_of_batch };
            validate.batch.tokens = buffers.add("held-out tokens", Purpose::Traffic, validate.shape.tokens_len());
            validate.result = buffers.add("held-out losses", Purpose::Traffic, validate.shape.rows());
        }
        let margins = buffers.add("margins", Purpose::Traffic, validate.shape.rows());
        let mut r = Recorder { margins: Some(margins), ..recorder(validate.shape, validate.batch, None) };
        model::loss(&mut r, config, validate.result);
        validate.recording = r.tape.finish(&mut buffers);

        let shape_of_text = shape(1);
        let tokens = buffers.add("text", Purpose::Traffic, shape_of_text.tokens_len());
        // For its sizes.
        let pick = Pick { context, vocabulary, soft_cap: None };
        let picks = Picks {
            candidates: buffers.add("candidates", Purpose::Traffic, pick.candidates_len()),
            probabilities: buffers.add("probabilities", Purpose::Traffic, pick.probabilities_len()),
        };
        let mut r = Recorder { decodes: true, ..recorder(shape_of_text, Batch { tokens, ..whole }, None) };
        let reading = model::next_token(&mut r, model, &picks);
        let decode = Decode { recording: r.tape.finish(&mut buffers), reading, context, tokens, picks };

        let mut plan = Self {
            parameters,
            buffers,
            weights,
            gradients,
            state,
            step_flops: flops(Some(&train)),
            estimate_flops: flops(estimate.as_ref()),
            estimate_every: config.optimizer.estimate_every,
            train,
            estimate,
            shorter,
            validate,
            margins,
            decode,
            bytes: Bytes::default(),
            hidden: model.hidden_size(),
            law: Law::of(model),
        };
        plan.bytes = Bytes::new(&plan, device);
        plan
    }

    /// All that train: for the whole context, then for each shorter length, a step and what comes before some of them.
    pub fn passes(&self) -> impl Iterator<Item = &Pass> {
        let shorter = self.shorter.iter().flat_map(|shorter| std::iter::once(&shorter.train).chain(&shorter.estimate));
        std::iter::once(&self.train).chain(&self.estimate).chain(shorter)
    }

    /// All recordings there are: what a step plays first, what writes text last.
    pub fn recordings(&self) -> Vec<&Recording> {
        let passes = self.passes().map(|pass| &pass.recording);
        passes.chain([&self.validate.recording, &self.decode.recording]).collect()
    }

    /// The same, to be cut up for a device.
    pub fn recordings_mut(&mut self) -> Vec<&mut Recording> {
        let estimate = self.estimate.as_mut().map(|pass| &mut pass.recording);
        let first = std::iter::once(&mut self.train.recording).chain(estimate);
        let passes = self.shorter.iter_mut();
        let passes = passes.flat_map(|shorter| std::iter::once(&mut shorter.train).chain(&mut shorter.estimate));
        let shorter = passes.map(|pass| &mut pass.recording);
        first.chain(shorter).chain([&mut self.validate.recording, &mut self.decode.recording]).collect()
    }

    /// Floating-point operations of the first steps.
    pub fn flops(&self, steps: u32) -> f64 {
        let up_to = |steps: u32, step_flops: f64, estimate_flops: f64| {
            let estimates = steps.div_ceil(self.estimate_every);
            f64::from(steps) * step_flops + f64::from(estimates) * estimate_flops
        };
        // What the steps of shorter sequences take instead.
        let mut first = 0;
        let less = self.shorter.iter().map(|&Shorter { last, step_flops, estimate_flops, .. }| {
            let [step, estimate] = [self.step_flops - step_flops, self.estimate_flops - estimate_flops];
            let last = last.min(steps);
            let saved = up_to(last, step, estimate) - up_to(first.min(last), step, estimate);
            first = last;
            saved
        });
        self.whole_flops(steps) - less.sum::<f64>()
    }

    /// Of so many steps at the whole context.
    fn whole_flops(&self, steps: u32) -> f64 {
        let estimates = steps.div_ceil(self.estimate_every);
        f64::from(steps) * self.step_flops + f64::from(estimates) * self.estimate_flops
    }

    /// Which of the shorter lengths a step, counted from 1, trains at; None at the whole context.
    pub fn shorter_at(&self, step: u32) -> Option<usize> {
        self.shorter.iter().position(|shorter| step <= shorter.last)
    }

    /// Which of [`Self::passes`] a step plays, and the one that comes before it where there is such.
    pub fn passes_at(&self, step: u32) -> (usize, Option<usize>) {
        let length = self.shorter_at(step).map_or(0, |i| i + 1);
        match self.estimate {
            Some(_) => (2 * length, Some(2 * length + 1)),
            None => (length, None),
        }
    }

    /// One of them.
    pub fn pass(&self, index: usize) -> &Pass {
        self.passes().nth(index).expect("the plan has such a pass")
    }

    pub fn tokens_per_step(&self) -> usize {
        self.train.shape.rows() * self.train.recording.rounds().count()
    }

    pub fn summary(&self) -> Summary {
        let tokens_per_step = self.tokens_per_step();
        let parameters = self.parameters.count();
        let work = cost::work(&self.train.recording, tokens_per_step);
        // Over as many steps as have one estimate.
        let tokens = u64::from(self.estimate_every) * tokens_per_step as u64;
        Summary {
            parameters,
            parts: self.parameters.parts(),
            hidden: self.hidden,
            bytes: self.bytes,
            optimizer_bytes_per_parameter: self.bytes.optimizer as f64 / parameters as f64,
            flops_per_token: self.whole_flops(self.estimate_every) as u64 / tokens,
            length: Price::of(self.law, self.train.shape.context, &work),
            work,
            dispatches: self.train.recording.dispatches(),
            tokens_per_step,
        }
    }
}

impl Bytes {
    fn new(plan: &Plan, device: &Device) -> Self {
        let bytes = Self::of_buffers(plan.buffers.specs.iter());
        match device {
            Device::Cpu => bytes.and(Self::of_workspace(&plan.recordings())),
            // A checkpoint reads one arena at a time.
            Device::Gpu(_) => {
                bytes.and(Self::of_traffic(GpuEngine::own_bytes(plan.state.metrics.len) + bytes.parameters))
            }
        }
    }

    /// What the CPU allocates to play these of a plan's recordings: what no op is bound to takes nothing there, but for tables.
    pub(crate) fn of_recordings(plan: &Plan, recordings: &[&Recording]) -> Self {
        let ops = recordings.iter().flat_map(|recording| &recording.ops);
        let bound: BTreeSet<BufferId> = ops.flat_map(|op| &op.tensors).map(|tensor| tensor.buffer).collect();
        let specs = plan.buffers.specs.iter().enumerate();
        let used = specs.filter(|(i, spec)| spec.table.is_some() || bound.contains(&BufferId::Placed(*i)));
        Self::of_buffers(used.map(|(_, spec)| spec)).and(Self::of_workspace(recordings))
    }

    fn of_buffers<'a>(specs: impl Iterator<Item = &'a BufferSpec>) -> Self {
        let mut bytes = Self::default();
        for spec in specs {
            let purpose = match spec.purpose {
                Purpose::Parameters => &mut bytes.parameters,
                Purpose::Gradients => &mut bytes.gradients,
                Purpose::Optimizer => &mut bytes.optimizer,
                Purpose::Activations | Purpose::Cache => &mut bytes.activations,
                Purpose::Traffic => &mut bytes.traffic,
            };
            *purpose += 4 * spec.len as u64;
            bytes.total += 4 * spec.len as u64;
        }
        bytes
    }

    /// What the CPU's kernels take for themselves, one at a time.
    fn of_workspace(recordings: &[&Recording]) -> Self {
        let ops = recordings.iter().flat_map(|recording| &recording.ops);
        let activations = 4 * ops.map(|op| op.kernel.workspace() as u64).max().unwrap_or(0);
        Self { activations, total: activations, ..Self::default() }
    }

    fn of_traffic(traffic: u64) -> Self {
        Self { traffic, total: traffic, ..Self::default() }
    }

    pub(crate) fn with_replicas(self, replicas: u64) -> Self {
        self.and(Self { replicas, total: replicas, ..Self::default() })
    }

    fn and(self, other: Self) -> Self {
        Self {
            parameters: self.parameters + other.parameters,
            gradients: self.gradients + other.gradients,
            optimizer: self.optimizer + other.optimizer,
            activations: self.activations + other.activations,
            traffic: self.traffic + other.traffic,
            replicas: self.replicas + other.replicas,
            total: self.total + other.total,
        }
    }
}

/// Floating-point operations of a recording; none of none.
fn flops(pass: Option<&Pass>) -> f64 {
    pass.map_or(0.0, |pass| pass.recording.flops() as f64)
}

/// The uploads of batches of up to `longest` tokens, and sequences of up to the model's context.
fn add_batch(buffers: &mut Buffers, longest: EmbedShape, config: &Config) -> Batch {
    let shape = longest;
    let packed = config.data.packing.is_packed().then(|| Packed {
        first_keys: buffers.add("first keys", Purpose::Traffic, shape.rows()),
        weights: buffers.add("loss weights", Purpose::Traffic, shape.rows()),
        positions: (config.model.position == Position::Learned).then(|| {
            [config.model.context as usize + 1, shape.rows()]
                .map(|len| buffers.add("positions of documents", Purpose::Traffic, len))
        }),
    });
    Batch {
        tokens: buffers.add("tokens", Purpose::Traffic, shape.tokens_len()),
        starts: buffers.add("token starts", Purpose::Traffic, shape.starts_len()),
        order: buffers.add("token order", Purpose::Traffic, shape.rows()),
        packed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_by_purpose_add_up() {
        let summary = Plan::new(&Config::default(), 56, &Device::Cpu).unwrap().summary();
        let Bytes { parameters, gradients, optimizer, activations, traffic, replicas, total } = summary.bytes;
        assert_eq!((optimizer, replicas), (2 * parameters, 0));
        assert_eq!(gradients, parameters);
        assert!(parameters >= 4 * summary.parameters as u64);
        let Parts { embeddings, attention, mlp, norms, head } = summary.parts;
        assert_eq!(embeddings + attention + mlp + norms + head, summary.parameters);
        assert_eq!(parameters + gradients + optimizer + activations + traffic, total);
    }
}
