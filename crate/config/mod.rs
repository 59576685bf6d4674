//! Every choice a user can make, declared once.
//!
//! From these structs follow the page's form, the command line, the JSON schema, the validation, the share link and
//! the help text: a field's doc comment is what visitors read. `check.rs` holds a config against the schema and
//! against itself; `path.rs` sets a field by its dotted path.

mod check;
mod defaults;
mod downstream;
mod optimizer;
mod path;

use std::sync::LazyLock;

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::data::tiny_tales_with;
use crate::data::tokenizer::{LARGEST_TRAINED, SMALLEST_TRAINED};
pub use crate::data::{Corpus, Packing, Practice, Task, TokenizerKind};
pub use check::{check, parse, parse_sections, unknown};
pub use defaults::fill;
pub use downstream::DownstreamConfig;
pub use optimizer::{OptimizerConfig, OptimizerKind};
pub use path::{decisive_first, field, set, set_value};

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
    pub downstream: DownstreamConfig,
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
    #[schemars(extend("x-when" = { "corpus": ["tiny_tales"] }))]
    pub text_bytes: u32,
    /// Decides which stories are written. Runs with the same one read the same text, whatever their own seeds.
    #[schemars(range(min = 0, max = 4_294_967_295_u32), extend("x-advanced" = true))]
    #[schemars(extend("x-when" = { "corpus": ["tiny_tales"] }))]
    pub text_seed: u32,
    /// Exercises to mix into TinyTales, for what stories alone do not teach within a small budget.
    ///
    /// They are short documents between the stories; the downstream tasks of the same names test what they practise.
    #[schemars(extend("uniqueItems" = true, "x-advanced" = true, "x-when" = { "corpus": ["tiny_tales"] }))]
    pub practice: Vec<Practice>,
    /// The share of the text that exercises take, where there are any.
    #[schemars(range(min = 0.01, max = 0.9), extend("x-advanced" = true))]
    #[schemars(extend("x-when" = { "corpus": ["tiny_tales"] }))]
    pub practice_share: f64,
    /// How documents become the sequences that are trained on. Validations and samples read the text as it stands.
    ///
    /// A document is a story or an exercise, a chapter, or in your own text what a line <|endoftext|>, or else two blank
    /// lines, separate. Only targets that count make up the loss and the tokens that are shown.
    #[schemars(extend("x-advanced" = true))]
    pub packing: Packing,
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

/// The transformer: decoder-only, by default GPT-2's (Radford et al. 2019).
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
    /// Heads of keys and values; 0 gives each query head its own.
    ///
    /// With fewer, heads / kv_heads query heads share one (Ainslie et al. 2023, arXiv 2305.13245; 1 is Shazeer's
    /// multi-query attention, arXiv 1911.02150): fewer parameters, a smaller cache while sampling. Must divide the heads.
    #[schemars(range(min = 0, max = 64), extend("x-unit" = "heads", "x-advanced" = true))]
    pub kv_heads: u32,
    /// Scale each head's queries and keys to a root mean square of 1, times a trained weight for each channel.
    ///
    /// Scores then stay in bounds (Dehghani et al. 2023, arXiv 2302.05442; with RMSNorm as in OLMo 2, arXiv 2501.00656,
    /// but head by head). It comes before the turns of RoPE.
    #[schemars(extend("x-advanced" = true))]
    pub qk_norm: bool,
    /// Size of the hidden layer of each block's MLP, usually four times the width.
    ///
    /// An MLP with a gate takes two thirds of it; see “Equal parameters”.
    #[schemars(range(min = 8, max = 16_384), extend("x-unit" = "channels", "x-step" = 8))]
    pub hidden: u32,
    /// Sequence length: how many tokens the model sees at once.
    #[schemars(range(min = 8, max = 8192), extend("x-unit" = "tokens", "x-step" = 8))]
    pub context: u32,
    /// How the residual stream is normalised.
    pub norm: Norm,
    /// Where: on the way into each branch, or after it has joined the residual stream.
    pub norm_position: NormPosition,
    /// How the model knows where a token stands.
    pub position: Position,
    /// RoPE's base: channels i and i + D/2 of a head turn by base^(−2i / D) radians a token.
    #[schemars(range(min = 2.0, max = 1e9), extend("x-advanced" = true, "x-scale" = "log", "x-when" = { "position": ["rope"] }))]
    pub rope_base: f64,
    /// RoPE divides positions by this: at 2, a text of twice the trained length has the trained angles.
    ///
    /// Position interpolation (Chen et al. 2023, arXiv 2306.15595).
    #[schemars(range(min = 1.0, max = 1024.0), extend("x-advanced" = true, "x-when" = { "position": ["rope"] }))]
    pub rope_interpolation: f64,
    /// The nonlinearity inside the MLP, alone or with a gate.
    ///
    /// Without a gate, hidden = act(up(x)). With one, hidden = act(gate(x)) · up(x), channel by channel: a third matrix
    /// (Shazeer 2020, arXiv 2002.05202).
    pub activation: Activation,
    /// Give an MLP with a gate as many parameters as one without: two thirds of the hidden size.
    ///
    /// It has three matrices instead of two. Rounded to the nearest multiple of 8; the plan shows what comes of it.
    #[schemars(extend("x-when" = { "activation": ["glu", "reglu", "geglu", "swiglu"] }))]
    pub equal_parameters: bool,
    /// Biases in the linear layers and in LayerNorm. Without them a model trains as well (PaLM, arXiv 2204.02311).
    #[schemars(extend("x-advanced" = true))]
    pub biases: bool,
    /// The share of channels that is zeroed at random in each training step; 0 switches it off.
    ///
    /// After the embedding, and on each branch before it joins the residual stream; what is left is scaled up by
    /// 1 / (1 − share). Never in validation or samples. It helps where a small text is read many times
    /// (Srivastava et al. 2014; <https://jmlr.org/papers/v15/srivastava14a.html>).
    #[schemars(range(min = 0.0, max = 0.9), extend("x-advanced" = true))]
    pub dropout: f64,
    /// Keeps logits between −cap and cap: cap · tanh(logits / cap); 0 switches it off.
    ///
    /// Gemma 2 takes 30 (arXiv 2408.00118). It holds for training, validation and samples alike.
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-advanced" = true))]
    pub logit_soft_cap: f64,
    /// Use the token embedding as the output head too.
    ///
    /// Saves vocabulary × width parameters (Press & Wolf 2017, arXiv 1608.05859).
    pub tied_head: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// Mean and variance, with a weight and (see “Biases”) a bias (Ba et al. 2016, arXiv 1607.06450).
    #[schemars(title = "LayerNorm")]
    #[default]
    LayerNorm,
    /// Root mean square only, with a weight (Zhang & Sennrich 2019, arXiv 1910.07467).
    #[schemars(title = "RMSNorm")]
    RmsNorm,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// Nothing says it: what comes before a token is all that causal attention lets it see (NoPE; Kazemnejad et al.
    /// 2023, arXiv 2305.19466).
    None,
    /// A trained vector for each position, added to the token's (GPT-2).
    #[default]
    Learned,
    /// Sines and cosines of the position, added to the token's vector: channels 2i and 2i + 1 have
    /// sin and cos of p / 10000^(2i / width), times 0.02, the size that token vectors begin with (Vaswani et al. 2017,
    /// arXiv 1706.03762, where both have size 1).
    Sinusoidal,
    /// Queries and keys are turned by their positions: channels i and i + D/2 of a head of size D by
    /// p · base^(−2i / D), so that a score depends on the distance alone (Su et al. 2021, arXiv 2104.09864).
    #[schemars(title = "RoPE")]
    Rope,
    /// A score loses m for each token between query and key; of n heads, head h has m = 2^(−8h / n)
    /// (Press et al. 2021, arXiv 2108.12409).
    #[schemars(title = "ALiBi")]
    Alibi,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NormPosition {
    /// x + branch(norm(x)), and a norm at the end: trains steadily (GPT-2; Xiong et al. 2020, arXiv 2002.04745).
    #[schemars(title = "Before each branch")]
    #[default]
    Pre,
    /// norm(x + branch(x)), and none at the end, as in the first transformer: wants a warm-up (Vaswani et al. 2017, arXiv 1706.03762).
    #[schemars(title = "After each branch")]
    Post,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// max(x, 0) (Nair & Hinton 2010).
    #[schemars(title = "ReLU")]
    Relu,
    /// max(x, 0)² (So et al. 2021, arXiv 2109.08668).
    #[schemars(title = "Squared ReLU")]
    SquaredRelu,
    /// x · Φ(x), Φ the normal distribution's function (Hendrycks & Gimpel 2016, arXiv 1606.08415).
    #[schemars(title = "GELU")]
    Gelu,
    /// GELU by its tanh approximation, as in GPT-2: x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))) (arXiv 1606.08415).
    #[schemars(title = "GELU, by tanh")]
    #[default]
    GeluTanh,
    /// x · σ(x), also called Swish, σ(x) = 1 / (1 + e⁻ˣ) (Ramachandran et al. 2017, arXiv 1710.05941).
    #[schemars(title = "SiLU")]
    Silu,
    /// With a gate: σ(gate) · up (Dauphin et al. 2017, arXiv 1612.08083).
    #[schemars(title = "GLU")]
    Glu,
    /// With a gate: ReLU(gate) · up (Shazeer 2020, arXiv 2002.05202).
    #[schemars(title = "ReGLU")]
    Reglu,
    /// With a gate: GELU(gate) · up (Shazeer 2020, arXiv 2002.05202).
    #[schemars(title = "GeGLU")]
    Geglu,
    /// With a gate: SiLU(gate) · up (Shazeer 2020, arXiv 2002.05202).
    #[schemars(title = "SwiGLU")]
    Swiglu,
}

impl Activation {
    /// Whether a second branch is multiplied in: hidden = act(gate(x)) · up(x).
    pub fn is_gated(self) -> bool {
        matches!(self, Self::Glu | Self::Reglu | Self::Geglu | Self::Swiglu)
    }
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
    #[schemars(extend("x-when" = { "kind": ["cosine", "linear"] }))]
    pub final_fraction: f64,
    /// Sequence length to begin with; it doubles up to the context. 0 trains at the whole context from the start.
    ///
    /// Steps read as many tokens as ever: a shorter sequence makes a larger batch (Li et al. 2021, arXiv 2108.06084). The
    /// context must be 2, 4, 8, … times as long. Validations and samples see the whole context all the while.
    #[schemars(range(min = 0, max = 8192), extend("x-unit" = "tokens", "x-advanced" = true))]
    pub context_start: u32,
    /// Steps until the whole context is reached, each length taking as many of them.
    #[schemars(range(min = 0, max = 1_000_000), extend("x-unit" = "steps", "x-advanced" = true))]
    pub context_warmup_steps: u32,
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
    /// Drops what a block computes on the way and computes it again for its gradients: less memory, more arithmetic.
    ///
    /// Between forward and backward pass only what goes into each block is kept (gradient checkpointing; Chen et al. 2016,
    /// arXiv 1604.06174). The gradients stay the same, bit for bit; a step takes up to a third longer.
    #[schemars(extend("x-advanced" = true))]
    pub checkpointing: bool,
    /// Decides the initial parameters and the order in which the text is read. Same seed, same device: same run, bit for bit.
    #[schemars(range(min = 0, max = 4_294_967_295_u32))]
    pub seed: u32,
    /// ε: the share of each target that is spread evenly over the vocabulary; 0 switches it off.
    ///
    /// Targets become (1 − ε) · the next token + ε / vocabulary on every token (Szegedy et al. 2016, arXiv 1512.00567).
    /// It changes the gradient; the loss that is shown stays the plain cross-entropy.
    #[schemars(range(min = 0.0, max = 0.9), extend("x-advanced" = true))]
    pub label_smoothing: f64,
    /// Adds this · log² Z to what is trained on, where Z = Σ exp(logits); 0 switches it off.
    ///
    /// Keeps logits from drifting; PaLM takes 1e-4 (arXiv 2204.02311). It changes the gradient; the loss that is shown
    /// stays the plain cross-entropy.
    #[schemars(range(min = 0.0, max = 1.0), extend("x-advanced" = true))]
    pub z_loss: f64,
}

impl ModelConfig {
    /// Channels of a head.
    pub fn head_size(&self) -> u32 {
        self.width / self.heads
    }

    /// Heads of keys and values, as many as there are.
    pub fn key_value_heads(&self) -> u32 {
        if self.kv_heads == 0 { self.heads } else { self.kv_heads }
    }

    /// Rows of the product that makes queries, keys and values.
    pub fn qkv_width(&self) -> u32 {
        self.width + 2 * self.key_value_heads() * self.head_size()
    }
}

impl DataConfig {
    /// TinyTales as it is asked for here.
    pub fn tiny_tales(&self) -> String {
        tiny_tales_with(&self.practice, self.practice_share, self.text_bytes as usize, self.text_seed.into())
    }
}

impl Config {
    /// The sequence lengths before the whole context, each with the last step that takes it; none without a warm-up.
    /// They double, and share the warm-up's steps out evenly.
    pub fn shorter_contexts(&self) -> Vec<(u32, u32)> {
        let ScheduleConfig { context_start: start, context_warmup_steps: steps, .. } = self.schedule;
        if start == 0 {
            return vec![];
        }
        let lengths: Vec<u32> =
            (0..).map_while(|doublings| start.checked_shl(doublings)).take_while(|&n| n < self.model.context).collect();
        let count = lengths.len() as u64;
        let last = |i: u64| (u64::from(steps) * (i + 1) / count) as u32;
        (0..count).zip(lengths).map(|(i, length)| (length, last(i))).collect()
    }

    /// Length of the sequences that validations read.
    pub fn evaluation_context(&self) -> u32 {
        if self.evaluation.context == 0 { self.model.context } else { self.evaluation.context }
    }
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
    /// The same for the last validation, by which runs are compared: the more, the surer.
    #[schemars(range(min = 256, max = 64_000_000), extend("x-unit" = "bytes", "x-advanced" = true))]
    pub final_bytes: u32,
    /// How many tokens a validation sees at once; 0 takes the model's context.
    ///
    /// A longer one shows how the positions extrapolate (all but learned ones do), a shorter one what the context is
    /// good for.
    #[schemars(range(min = 0, max = 16_384), extend("x-unit" = "tokens", "x-advanced" = true))]
    pub context: u32,
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

impl ModelConfig {
    /// The hidden size that the MLP is made with.
    pub fn hidden_size(&self) -> u32 {
        if self.activation.is_gated() && self.equal_parameters {
            // 2/3 of it in eights, to the nearest.
            ((2 * self.hidden + 12) / 24).max(1) * 8
        } else {
            self.hidden
        }
    }

    /// Whether the norms have biases.
    pub fn norm_biases(&self) -> bool {
        self.biases && self.norm == Norm::LayerNorm
    }

    /// Whether a norm stands at the end of the residual stream.
    pub fn has_final_norm(&self) -> bool {
        self.norm_position == NormPosition::Pre
    }
}

impl TrainingConfig {
    /// Sequences that go through the model at once.
    pub fn micro_batch(&self) -> u32 {
        self.batch_size / self.accumulation
    }
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            corpus: Corpus::default(),
            text_bytes: 2_000_000,
            text_seed: 1,
            practice: vec![],
            practice_share: 0.25,
            packing: Packing::default(),
            held_out_fraction: 0.05,
        }
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
            kv_heads: 0,
            qk_norm: false,
            hidden: 384,
            context: 64,
            norm: Norm::default(),
            norm_position: NormPosition::default(),
            position: Position::default(),
            rope_base: 10_000.0,
            rope_interpolation: 1.0,
            activation: Activation::default(),
            equal_parameters: true,
            biases: true,
            dropout: 0.0,
            logit_soft_cap: 0.0,
            tied_head: true,
        }
    }
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        let kind = ScheduleKind::default();
        Self { kind, warmup_steps: 20, final_fraction: 0.1, context_start: 0, context_warmup_steps: 0 }
    }
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            steps: 2000,
            batch_size: 8,
            accumulation: 1,
            checkpointing: false,
            seed: 1,
            label_smoothing: 0.0,
            z_loss: 0.0,
        }
    }
}

impl Default for EvaluationConfig {
    fn default() -> Self {
        Self {
            every: 100,
            bytes: 8192,
            final_bytes: 65_536,
            context: 0,
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
/// Beside the standard keywords: `x-unit`, `x-advanced` (folded away at first), `x-step` and `x-scale` for the form;
/// `x-when`, `{sibling: [values]}`: the field matters only while that field of its section has one of these values. It
/// may be set all the same. `array` fields hold some of their items' choices, each once. On a section, `x-defaults`, `{by: field, values: {choice: {field: default}}}`: the defaults of
/// its other fields go by what that field is.
pub fn schema() -> Schema {
    schemars::schema_for!(Config)
}

/// The schema as plain JSON, made once.
pub fn schema_json() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(|| schema().to_value());
    &SCHEMA
}
