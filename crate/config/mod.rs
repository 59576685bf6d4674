//! Every choice a user can make, declared once.
//!
//! From these structs follow the page's form, the command line, the JSON schema, the validation, the share link and
//! the help text: a field's doc comment is what visitors read. `check.rs` holds a config against the schema and
//! against itself; `path.rs` sets a field by its dotted path.

mod check;
mod path;

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::data::tokenizer::{LARGEST_TRAINED, SMALLEST_TRAINED};
pub use crate::data::{Corpus, TokenizerKind};
pub use check::{check, parse, parse_sections};
pub use path::set;

/// What to train, on what, and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub data: DataConfig,
    pub tokenizer: TokenizerConfig,
    pub model: ModelConfig,
    pub optimizer: OptimizerConfig,
    pub schedule: ScheduleConfig,
    pub training: TrainingConfig,
    pub evaluation: EvaluationConfig,
}

/// The text that the model learns from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// The text to learn.
    pub corpus: Corpus,
    /// How much TinyTales to generate.
    ///
    /// More text means fewer repetitions of each story. Other corpora are used whole.
    #[schemars(range(min = 20_000, max = 64_000_000), extend("x-unit" = "bytes", "x-advanced" = true))]
    pub text_bytes: u32,
    /// The share of the text, from its end, that is never trained on and that validation reads.
    #[schemars(range(min = 0.01, max = 0.5), extend("x-advanced" = true))]
    pub held_out_fraction: f64,
}

/// How text becomes tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TokenizerConfig {
    /// What a token is.
    pub kind: TokenizerKind,
    /// How many tokens are learned, at most: fewer where the text has no more pieces that occur twice.
    ///
    /// A larger vocabulary makes texts shorter in tokens and the model larger: each token takes a row of the embedding.
    #[schemars(
        range(min = SMALLEST_TRAINED as u32, max = LARGEST_TRAINED as u32),
        extend("x-unit" = "tokens", "x-when" = {"kind": ["bpe", "sentencepiece_bpe", "unigram", "wordpiece"]})
    )]
    pub vocabulary: u32,
}

/// The transformer: decoder-only, pre-norm (GPT-2; Radford et al. 2019).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// Transformer blocks, one after the other.
    #[schemars(range(min = 1, max = 48), extend("x-unit" = "blocks"))]
    pub layers: u32,
    /// Size of the residual stream.
    ///
    /// Must be a multiple of 4 times the number of heads.
    #[schemars(range(min = 8, max = 4096), extend("x-unit" = "channels", "x-step" = 8))]
    pub width: u32,
    /// Attention heads in each block; they divide the width.
    #[schemars(range(min = 1, max = 64), extend("x-unit" = "heads"))]
    pub heads: u32,
    /// Size of the hidden layer of each block's MLP, usually four times the width.
    #[schemars(range(min = 8, max = 16_384), extend("x-unit" = "channels", "x-step" = 8))]
    pub hidden: u32,
    /// Sequence length: how many tokens the model sees at once.
    #[schemars(range(min = 8, max = 8192), extend("x-unit" = "tokens", "x-step" = 8))]
    pub context: u32,
    /// How each block's input is normalised.
    pub norm: Norm,
    /// How the model knows where a token stands.
    pub position: Position,
    /// The nonlinearity inside the MLP.
    pub activation: Activation,
    /// Use the token embedding as the output head too.
    ///
    /// Saves vocabulary × width parameters (Press & Wolf 2017, arXiv 1608.05859).
    pub tied_head: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// Mean and variance, with a weight and a bias (Ba et al. 2016, arXiv 1607.06450).
    #[schemars(title = "LayerNorm")]
    #[default]
    LayerNorm,
    /// Root mean square only, with a weight (Zhang & Sennrich 2019, arXiv 1910.07467).
    #[schemars(title = "RMSNorm")]
    RmsNorm,
}

impl Norm {
    pub fn has_bias(self) -> bool {
        self == Self::LayerNorm
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// A trained vector for each position, added to the token's (GPT-2).
    #[default]
    Learned,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// x · Φ(x), by its tanh approximation, as in GPT-2 (Hendrycks & Gimpel 2016, arXiv 1606.08415).
    #[schemars(title = "GELU")]
    #[default]
    Gelu,
}

/// How gradients become new parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OptimizerConfig {
    /// The update rule.
    pub kind: OptimizerKind,
    /// Peak learning rate, after warm-up.
    ///
    /// The default is the best of a small sweep at the default model; `npm run bench:learning-rate` repeats it.
    #[schemars(range(min = 1e-7, max = 10.0), extend("x-scale" = "log"))]
    pub learning_rate: f64,
    /// β₁: how much of the gradient's running mean is kept each step.
    #[schemars(range(min = 0.0, max = 0.9999), extend("x-advanced" = true))]
    pub beta1: f64,
    /// β₂: how much of the squared gradient's running mean is kept each step.
    #[schemars(range(min = 0.0, max = 0.99999), extend("x-advanced" = true))]
    pub beta2: f64,
    /// ε: keeps the update finite where the gradient is nearly zero.
    #[schemars(range(min = 1e-12, max = 1e-2), extend("x-advanced" = true, "x-scale" = "log"))]
    pub epsilon: f64,
    /// λ: pulls matrices (not biases, not norms) towards zero.
    #[schemars(range(min = 0.0, max = 10.0), extend("x-advanced" = true))]
    pub weight_decay: f64,
    /// Scale gradients down so that their global norm stays within this; 0 switches clipping off.
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-advanced" = true))]
    pub clip_norm: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerKind {
    /// Adam with decoupled weight decay (Loshchilov & Hutter 2019, arXiv 1711.05101); 8 bytes of state a parameter.
    #[schemars(title = "AdamW")]
    #[default]
    Adamw,
}

/// How the learning rate changes over the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleConfig {
    /// The shape of the decay after warm-up.
    pub kind: ScheduleKind,
    /// Steps in which the learning rate rises linearly from zero to its peak.
    #[schemars(range(min = 0, max = 1_000_000), extend("x-unit" = "steps"))]
    pub warmup_steps: u32,
    /// The learning rate at the last step, as a share of the peak.
    #[schemars(range(min = 0.0, max = 1.0), extend("x-advanced" = true))]
    pub final_fraction: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKind {
    /// Half a cosine from the peak down (Loshchilov & Hutter 2017, arXiv 1608.03983).
    #[default]
    Cosine,
    /// A straight line from the peak down.
    Linear,
    /// No decay.
    Constant,
}

/// How long, how much at a time, and from which seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingConfig {
    /// Updates of the parameters in the run.
    #[schemars(range(min = 1, max = 1_000_000), extend("x-unit" = "steps"))]
    pub steps: u32,
    /// Sequences in each step. Tokens per step = batch size × context.
    #[schemars(range(min = 1, max = 1024), extend("x-unit" = "sequences"))]
    pub batch_size: u32,
    /// Micro-batches that a step's batch is split into: its memory shrinks, the update stays the same.
    ///
    /// They are played one after the other and their gradients are added up (gradient accumulation), so that a batch
    /// trains that would not fit whole. Must divide the batch size.
    #[schemars(range(min = 1, max = 1024), extend("x-unit" = "micro-batches", "x-advanced" = true))]
    pub accumulation: u32,
    /// Decides the initial parameters and the order of the text. Same seed, same device: same run, bit for bit.
    #[schemars(range(min = 0, max = 4_294_967_295_u32))]
    pub seed: u32,
}

/// How often the run is looked at, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluationConfig {
    /// Steps between validations; 0 validates at the start and the end only.
    #[schemars(range(min = 0, max = 1_000_000), extend("x-unit" = "steps"))]
    pub every: u32,
    /// How much of the held-out text a validation reads: the same bytes for every tokenizer.
    #[schemars(range(min = 256, max = 64_000_000), extend("x-unit" = "bytes", "x-advanced" = true))]
    pub bytes: u32,
    /// Steps between sampled texts; 0 switches sampling off.
    #[schemars(range(min = 0, max = 1_000_000), extend("x-unit" = "steps"))]
    pub sample_every: u32,
    /// What a sample goes on from.
    pub prompt: String,
    /// How long a sample is. Beyond the context, it goes on from the second half of what came before.
    #[schemars(range(min = 1, max = 4096), extend("x-unit" = "tokens", "x-advanced" = true))]
    pub sample_tokens: u32,
    /// Below 1 samples play safe, above 1 they take risks; 0 always takes the likeliest token.
    #[schemars(range(min = 0.0, max = 10.0), extend("x-advanced" = true))]
    pub temperature: f64,
    /// Draw from this many of the likeliest tokens only; 0 draws from all.
    ///
    /// Of tokens that are equally likely, those that come first in the vocabulary count as likelier
    /// (Fan et al. 2018, arXiv 1805.04833).
    #[schemars(range(min = 0, max = 1_000_000), extend("x-unit" = "tokens", "x-advanced" = true))]
    pub top_k: u32,
    /// Draw from the fewest tokens that are this likely together; 1 draws from all.
    ///
    /// Also called nucleus sampling (Holtzman et al. 2020, arXiv 1904.09751). Temperature comes first, then top k,
    /// then this.
    #[schemars(range(min = 0.0, max = 1.0), extend("x-advanced" = true))]
    pub top_p: f64,
    /// Decides what samples draw. Same seed, same step, same prompt: same text.
    #[schemars(range(min = 0, max = 4_294_967_295_u32), extend("x-advanced" = true))]
    pub sample_seed: u32,
}

impl TrainingConfig {
    /// Sequences that go through the model at once.
    pub fn micro_batch(&self) -> u32 {
        self.batch_size / self.accumulation
    }
}

impl Default for DataConfig {
    fn default() -> Self {
        Self { corpus: Corpus::default(), text_bytes: 2_000_000, held_out_fraction: 0.05 }
    }
}

impl Default for TokenizerConfig {
    fn default() -> Self {
        Self { kind: TokenizerKind::default(), vocabulary: 512 }
    }
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            layers: 3,
            width: 96,
            heads: 4,
            hidden: 384,
            context: 64,
            norm: Norm::default(),
            position: Position::default(),
            activation: Activation::default(),
            tied_head: true,
        }
    }
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self {
            kind: OptimizerKind::default(),
            learning_rate: 4e-3,
            beta1: 0.9,
            beta2: 0.99,
            epsilon: 1e-8,
            weight_decay: 0.1,
            clip_norm: 1.0,
        }
    }
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self { kind: ScheduleKind::default(), warmup_steps: 20, final_fraction: 0.1 }
    }
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self { steps: 2000, batch_size: 8, accumulation: 1, seed: 1 }
    }
}

impl Default for EvaluationConfig {
    fn default() -> Self {
        Self {
            every: 100,
            bytes: 8192,
            sample_every: 200,
            prompt: "One day".to_owned(),
            sample_tokens: 160,
            temperature: 0.7,
            top_k: 0,
            top_p: 1.0,
            sample_seed: 1,
        }
    }
}

/// The JSON schema (draft 2020-12) of [`Config`], defaults included.
///
/// Beside the standard keywords: `x-unit`, `x-advanced` (folded away at first), `x-step` and `x-scale` for the form.
pub fn schema() -> Schema {
    schemars::schema_for!(Config)
}

/// The schema as plain JSON.
pub fn schema_json() -> Value {
    schema().to_value()
}
