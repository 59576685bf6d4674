// Generated from crate/config by `npm run types`; do not edit.

/**
 * Simple children's stories, written by a generator from a few hundred words. A tiny model learns to write
 * them within minutes, and because the generator knows what is true in each story, the model's
 * understanding can be tested.
 */
export type TinyTales = "tiny_tales";
/**
 * What documents between the stories practise.
 */
export type Practice = "recall" | "key_value" | "copy" | "reverse";
/**
 * Windows at random places of the text, one document after the other: nothing is wasted, and a token sees what came
 * before it, of whichever document (as GPT-3 was trained; Brown et al. 2020, arXiv 2005.14165).
 */
export type Windows = "chunk";
/**
 * The same windows, but documents do not see each other: attention stays within one (as in Llama 3; Dubey et al. 2024,
 * arXiv 2407.21783), positions count from its start, and its last token predicts nothing.
 */
export type WindowsDocumentsApart = "masked";
/**
 * One document a sequence, each as likely as any other. Longer ones are cut to the context at a random place, shorter
 * ones filled up with padding, which is neither seen nor learned from.
 */
export type OneDocumentEach = "rows";
/**
 * The same, with long documents as often as short ones: a length from those that occur, in powers of two, then a
 * document of that length. The few long ones are then read again and again (compare Pouransari et al. 2024, arXiv
 * 2405.13226).
 */
export type OneDocumentEachAllLengthsAlike = "balanced";
/**
 * Byte-level BPE, as in GPT-2: starts from bytes, then joins the pair that occurs most often into a new token, again
 * and again (Sennrich et al. 2016, arXiv 1508.07909). Any text can be written and comes back exactly.
 */
export type ByteLevelBPE = "bpe";
/**
 * BPE over characters that keeps spaces, as in Llama 2: characters too rare for a token are written as bytes, so any
 * text comes back exactly (Kudo & Richardson 2018, arXiv 1808.06226). Of the vocabulary, 257 tokens are bytes and
 * the unknown.
 */
export type SentencePieceBPE = "sentencepiece_bpe";
/**
 * Starts from many pieces, drops those that the text's probability misses least, and cuts text into the likeliest
 * pieces (Kudo 2018, arXiv 1804.10959), as in T5. Rare characters are written as bytes. Learning it takes longest.
 */
export type Unigram = "unigram";
/**
 * Cuts each word into the longest pieces that it knows, as in BERT (Devlin et al. 2019, arXiv 1810.04805). It loses
 * something: spaces and line ends are forgotten, and a word with an unknown character becomes [UNK].
 */
export type WordPiece = "wordpiece";
/**
 * A tokenizer from a file: a tokenizer.json of Hugging Face's format, as of GPT-NeoX or Llama 3, or a
 * SentencePiece .model, as of Llama 2.
 */
export type FromAFile = "file";
/**
 * Mean and variance, with a weight and (see “Biases”) a bias (Ba et al. 2016, arXiv 1607.06450).
 */
export type LayerNorm = "layer_norm";
/**
 * Root mean square only, with a weight (Zhang & Sennrich 2019, arXiv 1910.07467).
 */
export type RMSNorm = "rms_norm";
/**
 * x + branch(norm(x)), and a norm at the end: trains steadily (GPT-2; Xiong et al. 2020, arXiv 2002.04745).
 */
export type BeforeEachBranch = "pre";
/**
 * norm(x + branch(x)), and none at the end, as in the first transformer: wants a warm-up (Vaswani et al. 2017, arXiv 1706.03762).
 */
export type AfterEachBranch = "post";
/**
 * Queries and keys are turned by their positions: channels i and i + D/2 of a head of size D by
 * p · base^(−2i / D), so that a score depends on the distance alone (Su et al. 2021, arXiv 2104.09864).
 */
export type RoPE = "rope";
/**
 * A score loses m for each token between query and key; of n heads, head h has m = 2^(−8h / n)
 * (Press et al. 2021, arXiv 2108.12409).
 */
export type ALiBi = "alibi";
/**
 * max(x, 0) (Nair & Hinton 2010).
 */
export type ReLU = "relu";
/**
 * max(x, 0)² (So et al. 2021, arXiv 2109.08668).
 */
export type SquaredReLU = "squared_relu";
/**
 * x · Φ(x), Φ the normal distribution's function (Hendrycks & Gimpel 2016, arXiv 1606.08415).
 */
export type GELU = "gelu";
/**
 * GELU by its tanh approximation, as in GPT-2: x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))) (arXiv 1606.08415).
 */
export type GELUByTanh = "gelu_tanh";
/**
 * x · σ(x), also called Swish, σ(x) = 1 / (1 + e⁻ˣ) (Ramachandran et al. 2017, arXiv 1710.05941).
 */
export type SiLU = "silu";
/**
 * With a gate: σ(gate) · up (Dauphin et al. 2017, arXiv 1612.08083).
 */
export type GLU = "glu";
/**
 * With a gate: ReLU(gate) · up (Shazeer 2020, arXiv 2002.05202).
 */
export type ReGLU = "reglu";
/**
 * With a gate: GELU(gate) · up (Shazeer 2020, arXiv 2002.05202).
 */
export type GeGLU = "geglu";
/**
 * With a gate: SiLU(gate) · up (Shazeer 2020, arXiv 2002.05202).
 */
export type SwiGLU = "swiglu";
/**
 * Gradient descent with momentum (Sutskever et al. 2013); 4 bytes of state a parameter, without momentum none.
 */
export type SGD = "sgd";
/**
 * Adam with decoupled weight decay (Loshchilov & Hutter 2019, arXiv 1711.05101); 8 bytes of state a parameter.
 */
export type AdamW = "adamw";
/**
 * AdamW whose running means are kept in 8 bits (Dettmers et al. 2021, arXiv 2110.02861); 2 bytes a parameter.
 */
export type AdamW8Bit = "adamw_8bit";
/**
 * A kind of question.
 */
export type Task = "cloze" | "agreement" | "count" | "tracking" | "recall" | "key_value" | "copy" | "reverse" | "own";

/**
 * What to train, on what, and how.
 */
export interface Config {
  data?: DataConfig;
  tokenizer?: TokenizerConfig;
  model?: ModelConfig;
  optimizer?: OptimizerConfig;
  schedule?: ScheduleConfig;
  training?: TrainingConfig;
  evaluation?: EvaluationConfig;
  downstream?: DownstreamConfig;
}
/**
 * The text that the model learns from.
 */
export interface DataConfig {
  /**
   * The text to learn.
   */
  corpus?: TinyTales | "moby_dick" | "own";
  /**
   * How much TinyTales to generate.
   *
   * More text means fewer repetitions of each story. Other corpora are used whole.
   */
  text_bytes?: number;
  /**
   * Decides which stories are written. Runs with the same one read the same text, whatever their own seeds.
   */
  text_seed?: number;
  /**
   * Exercises to mix into TinyTales, for what stories alone do not teach within a small budget.
   *
   * They are short documents between the stories; the downstream tasks of the same names test what they practise.
   */
  practice?: Practice[];
  /**
   * The share of the text that exercises take, where there are any.
   */
  practice_share?: number;
  /**
   * How documents become the sequences that are trained on. Validations and samples read the text as it stands.
   *
   * A document is a story or an exercise, a chapter, or in your own text what a line <|endoftext|>, or else two blank
   * lines, separate. Only targets that count make up the loss and the tokens that are shown.
   */
  packing?: Windows | WindowsDocumentsApart | OneDocumentEach | OneDocumentEachAllLengthsAlike;
  /**
   * The share of the text, from its end, that is never trained on and that validation reads.
   */
  held_out_fraction?: number;
}
/**
 * How text becomes tokens.
 */
export interface TokenizerConfig {
  /**
   * What a token is.
   */
  kind?: "characters" | "bytes" | ByteLevelBPE | SentencePieceBPE | Unigram | WordPiece | FromAFile;
  /**
   * How many tokens are learned, at most: fewer where the text has no more pieces that occur twice.
   *
   * A larger vocabulary makes texts shorter in tokens and the model larger: each token takes a row of the embedding.
   */
  vocabulary?: number;
}
/**
 * The transformer: decoder-only, by default GPT-2's (Radford et al. 2019).
 */
export interface ModelConfig {
  /**
   * Transformer blocks, one after the other.
   */
  layers?: number;
  /**
   * Size of the residual stream.
   *
   * Must be a multiple of 4 times the number of heads.
   */
  width?: number;
  /**
   * Attention heads in each block; they divide the width.
   */
  heads?: number;
  /**
   * Heads of keys and values; 0 gives each query head its own.
   *
   * With fewer, heads / kv_heads query heads share one (Ainslie et al. 2023, arXiv 2305.13245; 1 is Shazeer's
   * multi-query attention, arXiv 1911.02150): fewer parameters, a smaller cache while sampling. Must divide the heads.
   */
  kv_heads?: number;
  /**
   * Scale each head's queries and keys to a root mean square of 1, times a trained weight for each channel.
   *
   * Scores then stay in bounds (Dehghani et al. 2023, arXiv 2302.05442; with RMSNorm as in OLMo 2, arXiv 2501.00656,
   * but head by head). It comes before the turns of RoPE.
   */
  qk_norm?: boolean;
  /**
   * Size of the hidden layer of each block's MLP, usually four times the width.
   *
   * An MLP with a gate takes two thirds of it; see “Equal parameters”.
   */
  hidden?: number;
  /**
   * Sequence length: how many tokens the model sees at once.
   */
  context?: number;
  /**
   * How the residual stream is normalised.
   */
  norm?: LayerNorm | RMSNorm;
  /**
   * Where: on the way into each branch, or after it has joined the residual stream.
   */
  norm_position?: BeforeEachBranch | AfterEachBranch;
  /**
   * How the model knows where a token stands.
   */
  position?: "none" | "learned" | "sinusoidal" | RoPE | ALiBi;
  /**
   * RoPE's base: channels i and i + D/2 of a head turn by base^(−2i / D) radians a token.
   */
  rope_base?: number;
  /**
   * RoPE divides positions by this: at 2, a text of twice the trained length has the trained angles.
   *
   * Position interpolation (Chen et al. 2023, arXiv 2306.15595).
   */
  rope_interpolation?: number;
  /**
   * The nonlinearity inside the MLP, alone or with a gate.
   *
   * Without a gate, hidden = act(up(x)). With one, hidden = act(gate(x)) · up(x), channel by channel: a third matrix
   * (Shazeer 2020, arXiv 2002.05202).
   */
  activation?: ReLU | SquaredReLU | GELU | GELUByTanh | SiLU | GLU | ReGLU | GeGLU | SwiGLU;
  /**
   * Give an MLP with a gate as many parameters as one without: two thirds of the hidden size.
   *
   * It has three matrices instead of two. Rounded to the nearest multiple of 8; the plan shows what comes of it.
   */
  equal_parameters?: boolean;
  /**
   * Biases in the linear layers and in LayerNorm. Without them a model trains as well (PaLM, arXiv 2204.02311).
   */
  biases?: boolean;
  /**
   * The share of channels that is zeroed at random in each training step; 0 switches it off.
   *
   * After the embedding, and on each branch before it joins the residual stream; what is left is scaled up by
   * 1 / (1 − share). Never in validation or samples. It helps where a small text is read many times
   * (Srivastava et al. 2014; <https://jmlr.org/papers/v15/srivastava14a.html>).
   */
  dropout?: number;
  /**
   * Keeps logits between −cap and cap: cap · tanh(logits / cap); 0 switches it off.
   *
   * Gemma 2 takes 30 (arXiv 2408.00118). It holds for training, validation and samples alike.
   */
  logit_soft_cap?: number;
  /**
   * Use the token embedding as the output head too.
   *
   * Saves vocabulary × width parameters (Press & Wolf 2017, arXiv 1608.05859).
   */
  tied_head?: boolean;
}
/**
 * How gradients become new parameters.
 */
export interface OptimizerConfig {
  /**
   * The update rule.
   */
  kind?: SGD | "adam" | AdamW | AdamW8Bit | "lion" | "sophia" | "adafactor" | "muon";
  /**
   * Peak learning rate, after warm-up.
   *
   * Each rule has its own scale. The defaults come from short sweeps at the default model; `npm run bench:optimizers`
   * repeats them.
   */
  learning_rate?: number;
  /**
   * μ: how much of the running sum (SGD) or mean (Muon) of gradients is kept each step.
   */
  momentum?: number;
  /**
   * Look one step of momentum ahead (Nesterov 1983).
   *
   * The update is g + μu (SGD) or (1 − μ)g + μu (Muon) instead of u.
   */
  nesterov?: boolean;
  /**
   * β₁: how much of the gradient's running mean is kept each step.
   *
   * In Lion, how much of that mean goes into the update.
   */
  beta1?: number;
  /**
   * β₂: how much of the squared gradient's running mean is kept each step.
   *
   * In Lion, of the gradient's own mean; in Sophia, of the curvature's at each estimate.
   */
  beta2?: number;
  /**
   * ε: keeps the update finite where the gradient is nearly zero.
   */
  epsilon?: number;
  /**
   * ρ: below this many times the curvature, the running mean counts by its size; above it, by its sign alone.
   */
  rho?: number;
  /**
   * Steps from one estimate of the curvature to the next; the first step has one.
   *
   * An estimate costs a second forward and backward pass, on labels that are drawn from the model itself.
   */
  estimate_every?: number;
  /**
   * λ: pulls matrices (not biases, not norms) towards zero.
   *
   * Each step takes learning rate × λ of them away. In SGD and Adam, λθ is added to the gradient instead, before
   * anything is made of it (L2 regularisation).
   */
  weight_decay?: number;
  /**
   * Scale gradients down so that their global norm stays within this; 0 switches clipping off.
   */
  clip_norm?: number;
}
/**
 * How the learning rate changes over the run.
 */
export interface ScheduleConfig {
  /**
   * The shape of the decay after warm-up.
   */
  kind?: "cosine" | "linear" | "constant";
  /**
   * Steps in which the learning rate rises linearly from zero to its peak.
   */
  warmup_steps?: number;
  /**
   * The learning rate at the last step, as a share of the peak.
   */
  final_fraction?: number;
  /**
   * Sequence length to begin with; it doubles up to the context. 0 trains at the whole context from the start.
   *
   * Steps read as many tokens as ever: a shorter sequence makes a larger batch (Li et al. 2021, arXiv 2108.06084). The
   * context must be 2, 4, 8, … times as long. Validations and samples see the whole context all the while.
   */
  context_start?: number;
  /**
   * Steps until the whole context is reached, each length taking as many of them.
   */
  context_warmup_steps?: number;
}
/**
 * How long, how much at a time, and from which seed.
 */
export interface TrainingConfig {
  /**
   * Updates of the parameters in the run.
   */
  steps?: number;
  /**
   * Sequences in each step. Tokens per step = batch size × context.
   */
  batch_size?: number;
  /**
   * Micro-batches that a step's batch is split into: its memory shrinks, the update stays the same.
   *
   * They are played one after the other and their gradients are added up (gradient accumulation), so that a batch
   * trains that would not fit whole. Must divide the batch size.
   */
  accumulation?: number;
  /**
   * Drops what a block computes on the way and computes it again for its gradients: less memory, more arithmetic.
   *
   * Between forward and backward pass only what goes into each block is kept (gradient checkpointing; Chen et al. 2016,
   * arXiv 1604.06174). The gradients stay the same, bit for bit; a step takes up to a third longer.
   */
  checkpointing?: boolean;
  /**
   * Decides the initial parameters and the order in which the text is read. Same seed, same device: same run, bit for bit.
   */
  seed?: number;
  /**
   * ε: the share of each target that is spread evenly over the vocabulary; 0 switches it off.
   *
   * Targets become (1 − ε) · the next token + ε / vocabulary on every token (Szegedy et al. 2016, arXiv 1512.00567).
   * It changes the gradient; the loss that is shown stays the plain cross-entropy.
   */
  label_smoothing?: number;
  /**
   * Adds this · log² Z to what is trained on, where Z = Σ exp(logits); 0 switches it off.
   *
   * Keeps logits from drifting; PaLM takes 1e-4 (arXiv 2204.02311). It changes the gradient; the loss that is shown
   * stays the plain cross-entropy.
   */
  z_loss?: number;
}
/**
 * How often the run is looked at, and how.
 */
export interface EvaluationConfig {
  /**
   * Steps between validations; 0 validates at the start and the end only.
   */
  every?: number;
  /**
   * How much of the held-out text a validation reads: the same bytes for every tokenizer.
   */
  bytes?: number;
  /**
   * The same for the last validation, by which runs are compared: the more, the surer.
   */
  final_bytes?: number;
  /**
   * How many tokens a validation sees at once; 0 takes the model's context.
   *
   * A longer one shows how the positions extrapolate (all but learned ones do), a shorter one what the context is
   * good for.
   */
  context?: number;
  /**
   * Steps between sampled texts; 0 switches sampling off.
   */
  sample_every?: number;
  /**
   * What a sample goes on from.
   */
  prompt?: string;
  /**
   * How long a sample is. Beyond the context, it goes on from the second half of what came before.
   */
  sample_tokens?: number;
  /**
   * Below 1 samples play safe, above 1 they take risks; 0 always takes the likeliest token.
   */
  temperature?: number;
  /**
   * Draw from this many of the likeliest tokens only; 0 draws from all.
   *
   * Of tokens that are equally likely, those that come first in the vocabulary count as likelier
   * (Fan et al. 2018, arXiv 1805.04833).
   */
  top_k?: number;
  /**
   * Draw from the fewest tokens that are this likely together; 1 draws from all.
   *
   * Also called nucleus sampling (Holtzman et al. 2020, arXiv 1904.09751). Temperature comes first, then top k,
   * then this.
   */
  top_p?: number;
  /**
   * Decides what samples draw. Same seed, same step, same prompt: same text.
   */
  sample_seed?: number;
}
/**
 * What the model can do: tasks with known answers, scored alike for every tokenizer.
 */
export interface DownstreamConfig {
  /**
   * What it is asked. Tasks about stories need TinyTales; on other texts only your own are scored.
   *
   * Context and answer are cut into tokens together; the answer whose tokens have the largest summed log-probability
   * is what the model chose, as in EleutherAI's lm-evaluation-harness. The questions are drawn apart from the text, and
   * none of them occurs in what is trained on. Random guesses reach what is shown as chance.
   */
  tasks?: Task[];
  /**
   * Questions of each task, at most. A score's standard error is about 0.5 / √questions: 7 points with 50, 3.5 with 200.
   */
  items?: number;
  /**
   * Steps between scores; 0 scores at the start and the end only.
   */
  every?: number;
  /**
   * How many sentences may lie between what decides an answer and the question. Few ask for little memory; 30 are
   * more than any story has.
   */
  distance?: number;
  /**
   * Decides which questions are drawn.
   */
  seed?: number;
}
