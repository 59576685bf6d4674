//! Whether a run fits its device, found by planning it; and where it does not, the largest batch that does, and whether
//! checkpointing would do.

use super::{Bytes, Plan};
use crate::config::{Config, Position};
use crate::engine::Device;
use crate::error::{Error, Problem, Result};
use crate::optimizer;
use crate::tape::Purpose;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// What the program can address: in wasm 4 GiB, less what the text and the code take; natively what few machines have.
const MEMORY: u64 = if cfg!(target_arch = "wasm32") { 7 * GIB / 2 } else { 64 * GIB };

/// What a GPU is asked for at most, since no API says what it has. In wasm, elements are counted in 32 bits.
const GPU_MEMORY: u64 = if cfg!(target_arch = "wasm32") { 16 * GIB } else { 256 * GIB };

/// Plans a run that fits.
///
/// # Errors
/// Where it does not: with the largest batch that does, and the accumulation with which the batch could stay.
pub fn plan(config: &Config, vocabulary: usize, device: &Device) -> Result<Plan> {
    attempt(config, vocabulary, device).map_err(|excess| Error::refused(refusal(config, vocabulary, device, excess)))
}

/// Whether a run that takes so much fits the CPU, its checkpoint included.
pub fn fits_cpu(bytes: Bytes) -> bool {
    Need::of(bytes).check(&Device::Cpu).is_ok()
}

/// What does not fit, and where.
struct Excess {
    what: String,
    limit: u64,
    /// It grows with the tokens, not with the parameters.
    of_activations: bool,
}

fn attempt(config: &Config, vocabulary: usize, device: &Device) -> Result<Plan, Excess> {
    // A run that is hopeless is not planned: its sizes might not fit in `usize`.
    Need::at_least(config, vocabulary).check(device)?;
    let plan = Plan::record(config, vocabulary, device);
    Need::of(plan.bytes).check(device)?;
    let limit = match device {
        Device::Gpu(gpu) => gpu.largest_binding(),
        Device::Cpu => isize::MAX as u64,
    };
    let largest = plan.buffers.specs.iter().max_by_key(|spec| spec.len).expect("a run has buffers");
    if largest.len as u64 * 4 <= limit {
        return Ok(plan);
    }
    let of_activations = largest.purpose == Purpose::Activations;
    Err(Excess { what: format!("a tensor such as `{}`", largest.label), limit, of_activations })
}

/// Bytes, as far as they are known.
struct Need {
    /// The parameters, their gradients, the optimizer's state.
    arenas: u64,
    activations: u64,
    /// A checkpoint on its way to a file.
    checkpoint: u64,
}

impl Need {
    /// What the run takes whatever the plan: all that the forward pass leaves to the backward one, without padding. With
    /// checkpointing, that is what goes into each block, and the rest of one at a time.
    fn at_least(config: &Config, vocabulary: usize) -> Self {
        let model = &config.model;
        let hidden = if model.activation.is_gated() { 3 } else { 2 } * u64::from(model.hidden_size());
        let [width, context, layers] = [model.width, model.context, model.layers].map(u64::from);
        let positions = if model.position == Position::Learned { context } else { 0 };
        let qkv = u64::from(model.qkv_width());
        let matrices = (vocabulary as u64 + positions) * width + layers * width * (width + qkv + hidden);
        let rows = u64::from(config.training.micro_batch()) * context;
        let state = matrices * optimizer::least_bits(config) / 8;
        Self {
            arenas: 8 * matrices + state,
            activations: 4
                * rows
                * if config.training.checkpointing {
                    (layers - 1) * width + 5 * width + qkv + hidden
                } else {
                    layers * (5 * width + qkv + hidden)
                },
            checkpoint: 2 * (4 * matrices + state),
        }
    }

    fn of(bytes: Bytes) -> Self {
        let arenas = bytes.parameters + bytes.gradients + bytes.optimizer;
        // Read arena by arena, then written as one file.
        Self { arenas, activations: bytes.total - arenas, checkpoint: 2 * (bytes.parameters + bytes.optimizer) }
    }

    fn check(&self, device: &Device) -> Result<(), Excess> {
        let run = self.arenas + self.activations;
        let needs = match device {
            Device::Cpu => vec![("a run and its checkpoint", run + self.checkpoint, MEMORY)],
            Device::Gpu(_) => vec![("a run", run, GPU_MEMORY), ("a checkpoint", self.checkpoint, MEMORY)],
        };
        match needs.into_iter().find(|&(_, bytes, limit)| bytes > limit) {
            None => Ok(()),
            Some((what, _, limit)) => {
                Err(Excess { what: what.to_owned(), limit, of_activations: self.activations > self.arenas })
            }
        }
    }
}

/// `excess` is what stands in the way of the whole batch.
fn refusal(config: &Config, vocabulary: usize, device: &Device, mut excess: Excess) -> Problem {
    if let Some(problem) = validation_too_long(config, vocabulary, device) {
        return problem;
    }
    let training = &config.training;
    let split = |batch_size: u32, accumulation: u32| {
        let mut config = config.clone();
        (config.training.batch_size, config.training.accumulation) = (batch_size, accumulation);
        attempt(&config, vocabulary, device)
    };
    // Micro-batches of `fits` sequences do (0: none is known to), of `too_many` do not, for the reason in `excess`.
    let (mut fits, mut too_many) = (0, training.micro_batch());
    while too_many - fits > 1 {
        let middle = fits.midpoint(too_many);
        match split(middle * training.accumulation, training.accumulation) {
            Ok(_) => fits = middle,
            Err(of_middle) => (too_many, excess) = (middle, of_middle),
        }
    }
    let place = format!("on {}, where {} may take {} MiB", device.name(), excess.what, excess.limit / MIB);
    if fits == 0 {
        let (field, value, advice) = if excess.of_activations {
            ("model.context", config.model.context, "Take a shorter context, a narrower model or fewer layers.")
        } else {
            ("model.width", config.model.width, "Take a narrower model, fewer layers or a smaller vocabulary.")
        };
        let problem = Problem::new(field, value, format!("models that fit {place}"), advice);
        return or_checkpointing(problem, config, vocabulary, device);
    }
    let largest = fits * training.accumulation;
    let accumulation = (training.accumulation..=training.batch_size)
        .filter(|&count| training.batch_size.is_multiple_of(count))
        .find(|&count| training.batch_size / count <= fits && split(training.batch_size, count).is_ok())
        .expect("micro-batches of one sequence fit");
    let advice = format!(
        "Take {largest}, or keep {} and split it: training.accumulation = {accumulation}.",
        training.batch_size
    );
    let problem =
        Problem::new("training.batch_size", training.batch_size, format!("at most {largest} {place}"), advice)
            .or_set("training.batch_size", largest)
            .or_set("training.accumulation", accumulation);
    or_checkpointing(problem, config, vocabulary, device)
}

/// Names checkpointing as another way out, where it is one.
fn or_checkpointing(mut problem: Problem, config: &Config, vocabulary: usize, device: &Device) -> Problem {
    let mut checkpointed = config.clone();
    checkpointed.training.checkpointing = true;
    if config.training.checkpointing || attempt(&checkpointed, vocabulary, device).is_err() {
        return problem;
    }
    problem.advice += " Or compute activations twice instead of keeping them: training.checkpointing = true.";
    problem.or_set("training.checkpointing", true)
}

/// Where a run would fit but for validations that read more at once than training does: the longest that do.
fn validation_too_long(config: &Config, vocabulary: usize, device: &Device) -> Option<Problem> {
    let with = |context: u32| {
        let mut config = config.clone();
        config.evaluation.context = context;
        attempt(&config, vocabulary, device).err()
    };
    let (mut fits, mut too_long) = (config.model.context, config.evaluation.context);
    if too_long <= fits || with(fits).is_some() {
        return None;
    }
    let mut excess = with(too_long)?;
    while too_long - fits > 1 {
        let middle = fits.midpoint(too_long);
        match with(middle) {
            None => fits = middle,
            Some(of_middle) => (too_long, excess) = (middle, of_middle),
        }
    }
    let allowed =
        format!("at most {fits} on {}, where {} may take {} MiB", device.name(), excess.what, excess.limit / MIB);
    let problem = Problem::new("evaluation.context", config.evaluation.context, allowed, format!("Take {fits}."));
    Some(problem.or_set("evaluation.context", fits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Activation, NormPosition, OptimizerConfig, OptimizerKind};

    #[test]
    fn what_a_run_takes_at_least_is_no_more_than_what_is_planned() {
        let sizes = [
            (1, 8, 8, 8, 1, true),
            (3, 96, 384, 64, 8, true),
            (2, 64, 1024, 256, 4, false),
            (6, 256, 8, 128, 2, false),
        ];
        let all = sizes.into_iter().flat_map(|size| OptimizerKind::ALL.map(|kind| (size, kind)));
        let both = all.flat_map(|(size, kind)| [(size, kind, false), (size, kind, true)]);
        for ((layers, width, hidden, context, batch_size, tied_head), kind, checkpointing) in both {
            let mut config = Config { optimizer: OptimizerConfig::defaults(kind), ..Config::default() };
            let model = &mut config.model;
            (model.layers, model.width, model.hidden, model.context) = (layers, width, hidden, context);
            (model.heads, model.tied_head, config.training.batch_size) = (2, tied_head, batch_size);
            config.training.checkpointing = checkpointing;
            if layers > 1 {
                (model.activation, model.norm_position, model.biases) = (Activation::Glu, NormPosition::Post, false);
            }
            let (least, plan) = (Need::at_least(&config, 65), Plan::record(&config, 65, &Device::Cpu));
            let exact = Need::of(plan.bytes);
            assert!(least.arenas <= exact.arenas, "{config:?}");
            assert!(least.activations <= exact.activations, "{config:?}");
            assert!(least.checkpoint <= exact.checkpoint, "{config:?}");
        }
    }
}
