// Generated from crate/config by `npm run types`; do not edit.

/**
 * Simple children's stories, written by a generator from a few hundred words. A tiny model learns to write
 * them within minutes, and because the generator knows what is true in each story, the model's
 * understanding can be tested.
 */
export type TinyTales = "tiny_tales";
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
 * Mean and variance, with a weight and a bias (Ba et al. 2016, arXiv 1607.06450).
 */
export type LayerNorm = "layer_norm";
/**
 * Root mean square only, with a weight (Zhang & Sennrich 2019, arXiv 1910.07467).
 */
export type RMSNorm = "rms_norm";
/**
 * x · Φ(x), by its tanh approximation, as in GPT-2 (Hendrycks & Gimpel 2016, arXiv 1606.08415).
 */
export type GELU = "gelu";
/**
 * Adam with decoupled weight decay (Loshchilov & Hutter 2019, arXiv 1711.05101); 8 bytes of state a parameter.
 */
export type AdamW = "adamw";

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
 * The transformer: decoder-only, pre-norm (GPT-2; Radford et al. 2019).
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
   * Size of the hidden layer of each block's MLP, usually four times the width.
   */
  hidden?: number;
  /**
   * Sequence length: how many tokens the model sees at once.
   */
  context?: number;
  /**
   * How each block's input is normalised.
   */
  norm?: LayerNorm | RMSNorm;
  /**
   * How the model knows where a token stands.
   */
  position?: "learned";
  /**
   * The nonlinearity inside the MLP.
   */
  activation?: GELU;
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
  kind?: AdamW;
  /**
   * Peak learning rate, after warm-up.
   *
   * The default is the best of a small sweep at the default model; `npm run bench:learning-rate` repeats it.
   */
  learning_rate?: number;
  /**
   * β₁: how much of the gradient's running mean is kept each step.
   */
  beta1?: number;
  /**
   * β₂: how much of the squared gradient's running mean is kept each step.
   */
  beta2?: number;
  /**
   * ε: keeps the update finite where the gradient is nearly zero.
   */
  epsilon?: number;
  /**
   * λ: pulls matrices (not biases, not norms) towards zero.
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
   * Decides the initial parameters and the order of the text. Same seed, same device: same run, bit for bit.
   */
  seed?: number;
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
