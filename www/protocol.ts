// What passes between the page and the worker, and nothing else does: the page sends commands,
// the worker answers with events. Both are plain objects, so that they survive structured cloning.

import type { Config, JsonSchema, Values } from './config/schema';
import type {
  DeviceChoice,
  DeviceInfo,
  Evaluation,
  Metric,
  Piece,
  Plan,
  Problem,
  Profile,
  Sample,
  VocabularyUse,
} from './lab';
import type { Stage } from './tokenizer/messages';

/** Page → worker. They are handled one after the other, between two turns of the training loop. */
export type Command =
  /**
   * Open a device; a live run ends. Corpora are fetched relative to `base`. `tilings`: what was measured on earlier
   * visits.
   */
  | { type: 'open'; device: DeviceChoice; base: string; tilings: Tilings }
  /** Is this config allowed? Answered by `checked` with the same id. */
  | { type: 'check'; id: number; config: Config }
  /** What would this config cost? Answered by `planned` or `unplanned`; a newer request replaces an older one. */
  | { type: 'plan'; id: number; config: Config }
  /** Use this as the visitor's own text. Answered by `own-text` or `own-text-refused`. */
  | { type: 'own-text'; source: Blob | string; name: string }
  /** Use this as the visitor's own tokenizer. Answered by `tokenizer-file` or `tokenizer-refused`. */
  | { type: 'tokenizer-file'; source: Blob; name: string }
  /** Make the tokenizer and the text in its tokens ready. Told by `tokenizing`, answered by `tokenized`. */
  | { type: 'prepare'; config: Config }
  /** End that; a run that waits for it is not begun. */
  | { type: 'stop-tokenizer' }
  /**
   * What does the text make of the vocabulary, and how is `sample` split (null: the text's beginning)? Answered by
   * `split`, once there is a plan.
   */
  | { type: 'split'; id: number; config: Config; sample: string | null }
  /** Start a run and let it go on. */
  | { type: 'train'; config: Config }
  /** One step, of a paused run or of a new one where none is live. */
  | { type: 'step'; config: Config }
  | { type: 'pause' }
  | { type: 'resume' }
  /** End the run; its weights stay until the next one, so that it can still be sampled. */
  | { type: 'stop' }
  /** Write a text, with some of the config's `evaluation` fields set anew. Answered by `sample` or `sample-refused`. */
  | { type: 'sample'; evaluation: Values }
  /** The run as a file, between two steps. Answered by `saved` or `file-refused`. */
  | { type: 'save' }
  /** Go on from such a file, paused. Answered by `started` or `file-refused`; the run before stays until then. */
  | { type: 'load'; source: Blob }
  /** Keep the run in the browser now: the page may go away at any time. */
  | { type: 'keep' }
  /** Is a run kept here? Answered by `kept` if so. */
  | { type: 'find-kept' }
  /** Train on from the kept run. Answered as `load`. */
  | { type: 'go-on' }
  /** After `lost`: go on from where the run was last saved, on the device that is open now. Answered as `train`. */
  | { type: 'recover' }
  /** Take a stopped or finished run on to so many steps, all else unchanged. Answered as `train`. */
  | { type: 'train-on'; steps: number }
  | { type: 'forget-kept' }
  /**
   * Time each kernel of a step. Told by `profiling`, answered by `profiled` or `unprofiled`. Whatever is asked for
   * meanwhile ends it.
   */
  | { type: 'profile'; config: Config }
  /** Does nothing, and so ends a profile. */
  | { type: 'end-profile' };

/** By the adapter's name: the tilings of matrix products that were measured on it, as the core's JSON. */
export type Tilings = Record<string, string>;

/** A profile, and of what. */
export type Measured = Profile & { config: Config; device: DeviceInfo };

/** A run in the browser's private files. */
export type Kept = { step: number; steps: number; at: number };

/** What a text makes of a vocabulary, and how another was split. */
export type Split = VocabularyUse & {
  /** Of tokenizer. */
  kind: string;
  /** What was split, and its length in UTF-8. */
  sample: string;
  bytes: number;
};

/** The text that a config would be trained on. */
export type TextFacts = { name: string; bytes: number; head: string };

/** A tokenizer that the visitor brought, or that came with a run. */
export type TokenizerFacts = {
  name: string;
  /** What it is. */
  words: string;
  vocabulary: number;
};

/** Worker → page. */
export type Event =
  /** The core is loaded. Always the first event. */
  | { type: 'ready'; schema: JsonSchema; defaults: Config }
  /** The worker cannot go on (the core did not load, or panicked); only a new worker helps. */
  | { type: 'crashed'; message: string }
  /** A device is open. `missing`: why there is no WebGPU here and how to get it, or null. */
  | { type: 'device'; asked: DeviceChoice; device: DeviceInfo; missing: string | null }
  /** It could not be opened; the one before it, if any, is still in use. */
  | { type: 'device-refused'; asked: DeviceChoice; message: string; missing: string | null }
  | { type: 'checked'; id: number; problems: Problem[] }
  | { type: 'planned'; id: number; plan: Plan; text: TextFacts }
  /**
   * No plan, and why: problems of the config, or a message (no text yet, a download that failed). `waits`: for a
   * tokenizer that is made ready only when that is asked for.
   */
  | {
      type: 'unplanned';
      id: number;
      problems: Problem[];
      message: string | null;
      text: TextFacts | null;
      waits: boolean;
    }
  /** A corpus is on its way; `total` is null where the server does not say. */
  | { type: 'text-progress'; name: string; received: number; total: number | null }
  /** `source` where it came with a kept run. */
  | { type: 'own-text'; facts: TextFacts; source: Blob | null }
  | { type: 'own-text-refused'; name: string; message: string }
  /** `source`: a tokenizer.json that is the same tokenizer. */
  | { type: 'tokenizer-file'; facts: TokenizerFacts; source: Blob }
  | { type: 'tokenizer-refused'; name: string; message: string }
  /** A tokenizer and a text in its tokens are made ready. */
  | { type: 'tokenizing'; stage: Stage; share: number | null }
  /** They are there, or came to nothing: a plan that waits for them can be asked for again. */
  | { type: 'tokenized' }
  | { type: 'split'; id: number; split: Split }
  /** A run is being made ready: the share of kernels that are compiled, 0 to 1. */
  | { type: 'starting'; share: number }
  /**
   * A run exists now. `from`: the step that it goes on from, in a checkpoint. `continues`: it is the run before, taken
   * back to that step; otherwise charts and samples begin anew.
   */
  | {
      type: 'started';
      config: Config;
      plan: Plan;
      device: DeviceInfo;
      from: number | null;
      continues: boolean;
    }
  /** A run was asked for and not begun. */
  | { type: 'refused'; problems: Problem[]; message: string | null }
  | { type: 'running' }
  | { type: 'paused' }
  | { type: 'stopped' }
  | { type: 'finished' }
  /** The run stopped itself: NaN or infinity, or an error in the core. */
  | { type: 'failed'; message: string }
  /** The GPU is gone. It is being opened again, and the run, if there is one, goes on from this step. */
  | { type: 'recovering'; message: string; from: number | null }
  /** It is back, and all goes on as before. */
  | { type: 'recovered' }
  /** The device is gone for good, and the run with it; `from`: the step that it can be gone on from. */
  | { type: 'lost'; message: string; from: number | null }
  | { type: 'metrics'; metrics: Metric[] }
  | { type: 'evaluation'; evaluation: Evaluation }
  /** A text is begun, on schedule or because it was asked for; `pieces` go on with it until they are done. */
  | { type: 'sample'; sample: Sample }
  | { type: 'pieces'; pieces: Piece[]; done: boolean }
  | { type: 'sample-refused'; message: string }
  | { type: 'saved'; step: number; file: Uint8Array<ArrayBuffer> }
  /** A file could not be written or gone on from. */
  | { type: 'file-refused'; wanted: 'save' | 'load'; message: string }
  /** A run is kept in this browser; `found`: since an earlier visit, or since before the lab broke down. */
  | { type: 'kept'; kept: Kept; found: boolean }
  /** It cannot be kept; told once. */
  | { type: 'not-kept'; message: string }
  /** The share of kernels that are timed. */
  | { type: 'profiling'; share: number }
  | { type: 'profiled'; measured: Measured }
  /** No profile; `message`: why, or null where something else was asked for. */
  | { type: 'unprofiled'; message: string | null }
  /** All that were measured on the adapter so far, to be kept for the next visit. */
  | { type: 'tilings'; adapter: string; tilings: string };
