// What the Rust core hands to the page: plain objects only. Types, no code.

import type { Config, Value, Values } from './config/schema';
import type { Cell, Clock, Experiment, Report } from './length/cost/types';
import type { Attention, ByPosition, Induction, LengthLoss } from './length/use/types';
import type { Team } from './replicas/pool';
import type { Budget } from './sweep/types';

/** One setting (or several together) that does not fit, and what to do about it. */
export type Problem = {
  /** Path of the setting, such as `model.heads`. */
  field: string;
  /** What it is, as JSON or in words. */
  value: string;
  /** What would be accepted, in words. */
  allowed: string;
  /** What to do. */
  advice: string;
  /** Changes that mend it, each by itself. */
  fixes?: { field: string; value: Value }[];
};

export type DeviceKind = 'gpu' | 'cpu';
export type DeviceChoice = 'auto' | DeviceKind;

export type DeviceInfo = {
  kind: DeviceKind;
  name: string;
  /** A software adapter: WebGPU that runs on the processor. */
  software: boolean;
  /** That share each batch, on the CPU; missing in runs that were stored before there were more than one. */
  workers?: number;
  /** Why this device, where that needs saying. */
  note: string | null;
};

/** What a run will cost and what it is measured against; known before the first step. */
export type Part = 'attention' | 'matmul' | 'head' | 'optimizer' | 'rest';

/** The context at which attention's arithmetic is as much as that of the blocks' other products. */
export type Law = {
  /** All of the T × T matrix counted, or its causal half. */
  full: number;
  causal: number;
};

export type Plan = {
  parameters: number;
  /** The same by part of the model; a tied head has none of its own. */
  parts: Record<'embeddings' | 'attention' | 'mlp' | 'norms' | 'head', number>;
  /** The MLP's hidden size as it is made. */
  hidden: number;
  /** As allocated on the device, by purpose. */
  bytes: Record<'parameters' | 'gradients' | 'optimizer' | 'activations' | 'traffic' | 'total', number> & {
    /** Of the workers that share the batches; missing in runs that were stored before there were any. */
    replicas?: number;
  };
  /** What the optimizer keeps, as allocated. */
  optimizer_bytes_per_parameter: number;
  /** Of what only some steps do, its share. */
  flops_per_token: number;
  /** The same for each part of a step; missing in runs that were stored before it was known, as is the next. */
  work?: { part: Part; flops_per_token: number; bytes_per_token: number }[];
  /** `counted`: by the kernels' own operations; the share is of attention and the blocks' other products. */
  length?: Law & { counted: number; attention_share: number };
  dispatches: number;
  vocabulary: number;
  train_tokens: number;
  held_out_tokens: number;
  bytes_per_token: number;
  /** Loss of a model that knows only how often each token occurs, in nats per token. */
  unigram_loss: number;
  unigram_bits_per_byte: number;
  tokens_per_step: number;
};

/** Where a point lies on each of the x axes. */
export type Place = { step: number; tokens: number; seconds: number; flops: number };

export type Metric = Place & {
  loss: number;
  bits_per_byte: number;
  learning_rate: number;
  grad_norm: number;
  tokens_per_second: number;
};

export type Evaluation = Place & {
  loss: number;
  bits_per_byte: number;
  /** Of the bits per byte; NaN or null where only one window was read. */
  standard_error: number;
};

/** What a model scored on one downstream task. */
export type TaskScore = {
  task: string;
  items: number;
  /** The share of items that were answered right, and what guessing would reach. */
  accuracy: number;
  standard_error: number;
  chance: number;
  /** The same where candidates are compared by log-probability per byte. */
  accuracy_per_byte: number;
  /**
   * The same by how far back lies what decides, in tokens: up to `last`, and more than half of that. Empty where that is
   * no one place; missing in runs that were stored before it was measured.
   */
  by_distance?: {
    last: number;
    items: number;
    accuracy: number;
    standard_error: number;
    chance: number;
  }[];
};

/** What a model scored on downstream tasks, after so many steps; `accuracy` is the mean over them. */
export type Scores = Place & { accuracy: number; standard_error: number; tasks: TaskScore[] };

/** Do groups of runs differ by a measure? A run that has no finite value, such as a diverged one, has NaN. */
export type Question = {
  metric: { name: string; goal: 'minimize' | 'maximize'; unit: string };
  groups: { name: string; values: { seed: number | null; value: number }[] }[];
};

/** What the data support. `low`, `high`: a 95 % interval; null where there is nothing to judge chance by. */
export type Verdict = {
  groups: {
    name: string;
    n: number;
    /** Values that are no finite numbers. */
    left_out: number;
    mean: number | null;
    sd: number | null;
    low: number | null;
    high: number | null;
  }[];
  /** The best group, `a`, against each of the others. */
  pairs: {
    a: string;
    b: string;
    verdict: 'different' | 'not_seen' | 'unknown';
    test: 'paired' | 'welch' | null;
    n: number;
    difference: number;
    low: number | null;
    high: number | null;
    p: number | null;
    /** By Holm's correction for all pairs of groups. */
    p_corrected: number | null;
    /** Hedges' g. */
    effect: number | null;
    words: string;
  }[];
  words: string;
};

/** A question, and what the model made of it. */
export type Answer = {
  context: string;
  choices: string[];
  /** Which of them is right. */
  answer: number;
  /** What lies between the question and what decides it; null where nobody knows. */
  distance: number | null;
  /** Where in the context that which decides ends, in bytes; null where it is no one place, or nobody knows. */
  fact: number | null;
  /** From there to the answer; null with it. */
  distance_in_tokens: number | null;
  /** Of each choice, in nats. */
  log_probabilities: number[];
  /** The likeliest; null where the only one is not what the model would have written. */
  chosen: number | null;
  /** The same by log-probability per byte. */
  chosen_per_byte: number | null;
};

/** Some questions of a task. */
export type Examples = {
  task: string;
  /** Own questions that were left out, because they occur in the training text. */
  dropped: number;
  answers: Answer[];
};

/** A text, while it is written and after: where it begins, and all that decides how it goes on. */
export type Sample = {
  step: number;
  prompt: string;
  temperature: number;
  top_k: number;
  top_p: number;
  sample_seed: number;
  pieces: Piece[];
};

export type Candidate = {
  token: number;
  /** The token as a reader may see it. */
  label: string;
  /** That the model itself gave it, before temperature, top k and top p. */
  probability: number;
};

/** A token that was drawn. */
export type Piece = Candidate & {
  /** What it adds to the text: nothing where it only begins a character. */
  text: string;
  /** The likeliest tokens in its place, the drawn one maybe among them. */
  alternatives: Candidate[];
};

export type Pumped = {
  state: 'running' | 'waiting' | 'finished' | 'failed' | 'lost';
  /** The last step whose metrics have arrived, and the last that was started. */
  step: number;
  started: number;
  metrics: Metric[];
  message?: string;
  /** It failed because a loss or a gradient was not finite. */
  diverged: boolean;
  /** All steps that were started have arrived: the run can be saved. */
  settled: boolean;
  evaluation_due: boolean;
  sample_due: boolean;
  scores_due: boolean;
};

export interface Run {
  /**
   * Starts steps for about that long and collects the metrics that have arrived. Never waits for the GPU, and starts
   * no step while a validation or a sample is due.
   */
  pump(budgetMs: number): Pumped;
  /** Starts one step, unless something is due first; then it says `waiting`. */
  step(): Pumped;
  /** Collects metrics and starts nothing. */
  collect(): Pumped;
  /** Stops the run's clock until the next step. */
  pause(): void;
  /** How many workers share each batch. */
  workers(): number;
  /** Why none share them any more, where they did. */
  workers_lost(): string | undefined;
  /** How often the run has read its text so far, by the length of its documents. */
  usage(): Usage;
  /** After `failed`: the whole story. */
  explain(): Promise<string>;
  evaluate(): Promise<Evaluation & { by_position: ByPosition }>;
  /**
   * Where the core has not the tokenizer itself: the texts of the downstream tasks, to be handed back in tokens, one after
   * the other, with how many each has. No scores are due before.
   */
  item_texts(): string[] | undefined;
  use_items(tokens: Uint32Array, lengths: Uint32Array): void;
  /** Asks the downstream tasks for about that long: the scores, once all are asked. */
  score(budgetMs: number): Promise<Scores | undefined>;
  /** The first so many questions of each task, as they were answered last. */
  examples(count: number): Examples[];
  /**
   * Begins a text, with some of the config's `evaluation` fields set anew. Throws where they do not fit. `prompt`: in
   * tokens, where the core has not the tokenizer itself.
   */
  begin_sample(evaluation: Values, prompt?: Uint32Array): Omit<Sample, 'pieces'>;
  /** Writes on for about that long. */
  write(budgetMs: number): Promise<{ pieces: Piece[]; done: boolean }>;
  /** The run as a file, once it is settled: collect first. */
  checkpoint(): Promise<Uint8Array>;
  free(): void;
}

/** What a checkpoint says of itself. */
export type Header = {
  config: Config;
  /** Steps done. */
  step: number;
  /** Spent training. */
  seconds: number;
  /** A fingerprint of the text. */
  text: string;
};

/** A token, and how often it occurs in the text. */
export type TokenUse = {
  token: number;
  /** As a reader may see it. */
  label: string;
  bytes: number;
  count: number;
};

/** What a text makes of a vocabulary, and how another is split. */
export type VocabularyUse = {
  usage: { vocabulary: number; used: number; frequent: TokenUse[]; rare: TokenUse[] };
  /** `text`: what it adds to the text; nothing where it only begins a character. */
  parts: (TokenUse & { text: string })[];
  /** Of the parameters, those that grow with the vocabulary. */
  share: number;
};

/** One kernel of a step at one shape, timed by itself. */
export type KernelTime = {
  kernel: string;
  part: Part;
  /** The first op that plays it. */
  label: string;
  /** Of a matrix product; its tiling on a GPU. */
  shape: string | null;
  tiling: string | null;
  /** How often a step plays it. */
  count: number;
  /** Once. */
  milliseconds: number;
  /** Of all kernels of the step, 0 to 1. */
  share: number;
  /** 10⁹ floating-point operations, and 10⁹ bytes, a second. */
  gflops: number;
  gigabytes: number;
};

export type Profile = {
  /** What the device does at best, as measured. */
  ceiling: { gflops: number; gigabytes: number };
  /** The largest share first. */
  kernels: KernelTime[];
};

/** Documents of lengths from one power of two up to the next. */
export type Bucket = {
  /** The shortest and the longest that belong to it, in tokens. */
  from: number;
  to: number;
  documents: number;
  tokens: number;
};

/** How documents become sequences. */
export type Packing = 'chunk' | 'masked' | 'rows' | 'balanced';

/** The documents of a training text, and how often a run would read each of their tokens. */
export type Lengths = {
  documents: number;
  tokens: number;
  context: number;
  /** Documents as long as the context at least, and the share of all tokens in them. */
  long_documents: number;
  long_share: number;
  mean: number;
  median: number;
  buckets: Bucket[];
  /** The longest first; a name is what a document begins with. */
  longest: { name: string; tokens: number }[];
  /** `epochs`: bucket by bucket; `whole`: of all tokens; `filled`: the share of sequences that is text. */
  expected: { packing: Packing; epochs: number[]; whole: number; filled: number }[];
};

/** How often a run has read each token of its text so far. */
export type Usage = {
  tokens: number;
  whole: number;
  /** `most`: of the document that was read most often. */
  buckets: (Bucket & { read: number; epochs: number; most: number })[];
  /** Documents that have been read more than four times. */
  often: number;
  /** What is wrong with that. */
  warning: string | null;
};

export interface Lab {
  device(): DeviceInfo;
  /**
   * What a plan, a profile or a run with a tokenizer that the core has not itself is to use from now on: the tokenizer,
   * how many bytes each id stands for, these one after the other; the text's two parts in tokens, what these were made
   * of, and how many bytes each held-out token and each of the training part covers, where its length does not say it.
   */
  use_tokens(
    json: string,
    lengths: Uint32Array,
    bytes: Uint8Array,
    train: Uint32Array,
    heldOut: Uint32Array,
    of: object,
    covered?: Uint32Array,
    trainCovered?: Uint32Array,
  ): void;
  plan(config: Config, text: string): Plan;
  /** How long the documents of the training text are, and how often such a run would read them. */
  document_lengths(config: Config, text: string): Lengths;
  /** `tokens`: the sample's, where the core has not the tokenizer itself. */
  vocabulary_use(config: Config, text: string, sample: string, tokens?: Uint32Array): VocabularyUse;
  /**
   * Times each kernel of a training step, for about `budget` seconds each. `progress` is told the share that is done
   * before each; where it answers false, the profile ends, and this throws.
   */
  profile(
    config: Config,
    text: string,
    budget: number,
    progress: (share: number) => Promise<boolean>,
  ): Promise<Profile>;
  /**
   * How well the run of a checkpoint predicts `read` bytes of held-out text in pieces of these lengths, in tokens; none
   * are the usual ones. `progress` as for `profile`, here and below.
   */
  lengths(
    config: Config,
    checkpoint: Uint8Array,
    text: string,
    lengths: Uint32Array,
    read: number,
    progress: (share: number) => Promise<boolean>,
  ): Promise<LengthLoss[]>;
  /** How much better it predicts random tokens when they come a second time. */
  induction(
    config: Config,
    checkpoint: Uint8Array,
    text: string,
    progress: (share: number) => Promise<boolean>,
  ): Promise<Induction>;
  /** What its heads attend to in a text; `tokens`: of that, where the core has not the tokenizer itself. */
  attention(
    config: Config,
    checkpoint: Uint8Array,
    text: string,
    prompt: string,
    tokens?: Uint32Array,
  ): Promise<Attention>;
  /** On the CPU, plans count so many workers from now on, the lab's own included. */
  use_workers(count: number): void;
  /** The tilings of matrix products that were measured on this device, as JSON; undefined where none were. */
  tilings(): string | undefined;
  /** Takes them up again on the same adapter, so that nothing is measured twice. */
  recall(tilings: string): void;
  /**
   * What a longer context costs. `progress` is told the share that is done and each cell once it is known; where it answers
   * false, the measurement ends, and this throws.
   */
  measure_lengths(
    experiment: Experiment,
    progress: (share: number, cell: Cell | null) => Promise<boolean>,
  ): Promise<{ report: Report; clock: Clock }>;
  /** How many steps a budget gives such a run; for time, a short trial on this device tells. */
  steps_for(config: Config, text: string, budget: Budget): Promise<number>;
  /**
   * `progress` is told the share of kernels that are compiled. `tasks`: the visitor's own, as JSON Lines. `init`: a
   * checkpoint with whose parameters the run begins. `team`: the workers that share its batches, on the CPU.
   */
  start(
    config: Config,
    text: string,
    progress: (share: number) => void,
    tasks?: string,
    init?: Uint8Array,
    team?: Team,
  ): Promise<Run>;
  /** The same from a checkpoint of such a run; refuses another text than it began with. */
  resume(
    config: Config,
    bytes: Uint8Array,
    text: string,
    progress: (share: number) => void,
    tasks?: string,
    team?: Team,
  ): Promise<Run>;
  free(): void;
}
