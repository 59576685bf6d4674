// What passes between the page and the worker, and nothing else does: the page sends commands,
// the worker answers with events. Both are plain objects, so that they survive structured cloning.

import type { Config, JsonSchema, Values } from './config/schema';
import type {
  DeviceChoice,
  DeviceInfo,
  Evaluation,
  Examples,
  Lengths,
  Metric,
  Piece,
  Plan,
  Problem,
  Profile,
  Question,
  Sample,
  Scores,
  Usage,
  Verdict,
  VocabularyUse,
} from './lab';
import type { Asked, Told } from './length/cost/types';
import type { ByPosition, Found, Question as UseQuestion, What } from './length/use/types';
import type { Budget, Cost, Reading } from './sweep/types';
import type { Stage } from './tokenizer/messages';

/** Page → worker. They are handled one after the other, between two turns of the training loop. */
export type Command =
  /**
   * Open a device; a live run ends. `workers` share each batch where it is the CPU. Corpora are fetched relative to `base`.
   * `tilings`: what was measured on earlier visits.
   */
  | { type: 'open'; device: DeviceChoice; workers: number; base: string; tilings: Tilings }
  /** So many share each batch of the runs that begin from now on, on the CPU. Answered by `workers`. */
  | { type: 'workers'; count: number }
  /** Is this config allowed? Answered by `checked` with the same id. */
  | { type: 'check'; id: number; config: Config }
  /** What would this config cost? Answered by `planned` or `unplanned`; a newer request replaces an older one. */
  | { type: 'plan'; id: number; config: Config }
  /** Use this as the visitor's own text. Answered by `own-text` or `own-text-refused`. */
  | { type: 'own-text'; source: Blob | string; name: string }
  /** Use this as the visitor's own tokenizer. Answered by `tokenizer-file` or `tokenizer-refused`. */
  | { type: 'tokenizer-file'; source: Blob; name: string }
  /** Use these as the visitor's own downstream tasks. Answered by `own-tasks` or `own-tasks-refused`. */
  | { type: 'own-tasks'; source: Blob; name: string }
  /** Make the tokenizer and the text in its tokens ready. Told by `tokenizing`, answered by `tokenized`. */
  | { type: 'prepare'; config: Config }
  /** End that; a run that waits for it is not begun. */
  | { type: 'stop-tokenizer' }
  /**
   * What does the text make of the vocabulary, and how is `sample` split (null: the text's beginning)? Answered by
   * `split`, once there is a plan.
   */
  | { type: 'split'; id: number; config: Config; sample: string | null }
  /** How long are the documents of the text? Answered by `documents`, once the text is there in tokens. */
  | { type: 'documents'; id: number; config: Config }
  /** How often has the present run read its text? Answered by `usage`. */
  | { type: 'usage' }
  /** Start a run and let it go on. `run`: the id that it is known by from now on. */
  | { type: 'train'; run: string; config: Config }
  /** One step, of a paused run or, where none is live, of a new one. */
  | { type: 'step'; run: string; config: Config }
  | { type: 'pause' }
  | { type: 'resume' }
  /** End the run; its weights stay until the next one, so that it can still be sampled. */
  | { type: 'stop' }
  /** Write a text, with some of the config's `evaluation` fields set anew. Answered by `sample` or `sample-refused`. */
  | { type: 'sample'; evaluation: Values }
  /** The run as a file, between two steps. Answered by `saved` or `file-refused`. */
  | { type: 'save' }
  /** Go on from such a file, paused. Answered by `started` or `file-refused`; the run before stays until then. */
  | { type: 'load'; run: string; source: Blob }
  /** Keep the run in the browser now: the page may go away at any time. */
  | { type: 'keep' }
  /** Are weights kept here of a run that is none of these? Answered by `found-kept` if so. */
  | { type: 'find-kept'; known: string[] }
  /** Train on, as `run`, from the weights that are kept of run `from`. Answered as `load`. */
  | { type: 'go-on'; run: string; from: string }
  /** After `lost`: go on from where the run was last saved, on the device that is open now. Answered as `train`. */
  | { type: 'recover' }
  /** Take a stopped or finished run on to so many steps, all else unchanged. Answered as `train`. */
  | { type: 'train-on'; steps: number }
  /**
   * Time each kernel of a step. Told by `profiling`, answered by `profiled` or `unprofiled`. Whatever is asked for
   * meanwhile ends it.
   */
  | { type: 'profile'; config: Config }
  /** About what a longer context costs. Whatever is asked for meanwhile ends a measurement. */
  | { type: 'length-cost'; asked: Asked }
  /**
   * What does the present run, paused or over, make of its context? Told by `use-progress`, answered by `use-found` or
   * `use-ended`. Whatever is asked for meanwhile ends it.
   */
  | { type: 'look-at-use'; question: UseQuestion }
  /** Does nothing, and so ends that. */
  | { type: 'end-use' }
  /** Start a run with the parameters of the present one, which has ended, in place of it. Answered as `train`. */
  | { type: 'extend'; run: string; config: Config }
  /** Do groups of runs differ? Answered by `compared` with the same id. */
  | { type: 'compare'; id: number; question: Question }
  /** Does nothing, and so ends a profile. */
  | { type: 'end-profile' }
  /** Which runs does a sweep have? Answered by `swept` with the same id. */
  | { type: 'sweep'; id: number; definition: unknown }
  /**
   * What would a run take, with as many steps as the budget gives (null: as it has)? Its text and tokenizer are made
   * ready; time is tried out, which needs a device that no run trains on. Answered by `cost`.
   */
  | { type: 'cost'; id: number; config: Config; budget: Budget | null };

/** By the adapter's name: the tilings of matrix products that were measured on it, as the core's JSON. */
export type Tilings = Record<string, string>;

/** A profile, and of what. */
export type Measured = Profile & { config: Config; device: DeviceInfo };

/** A run in the browser's private files: it stands at `step` of `steps`. */
export type Kept = { step: number; steps: number; bytes: number; at: number };

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

/** Downstream tasks that the visitor brought. */
export type TasksFacts = { name: string; items: number };

/** Worker → page. */
export type Event =
  /** The core is loaded. Always the first event. */
  | { type: 'ready'; schema: JsonSchema; defaults: Config }
  /** The worker cannot go on (the core did not load, or panicked); only a new worker helps. */
  | { type: 'crashed'; message: string }
  /** A device is open. `missing`: why there is no WebGPU here and how to get it, or null. */
  | { type: 'device'; asked: DeviceChoice; device: DeviceInfo; missing: string | null }
  /** The device's number of workers is another. */
  | { type: 'workers'; device: DeviceInfo }
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
  | { type: 'own-tasks'; facts: TasksFacts }
  | { type: 'own-tasks-refused'; name: string; message: string }
  /** A tokenizer and a text in its tokens are made ready. */
  | { type: 'tokenizing'; stage: Stage; share: number | null }
  /** They are there, or came to nothing: a plan that waits for them can be asked for again. */
  | { type: 'tokenized' }
  | { type: 'split'; id: number; split: Split }
  /** `config`: what was asked about. */
  | { type: 'documents'; id: number; config: Config; lengths: Lengths }
  /** After so many steps; null where there is no run. */
  | { type: 'usage'; usage: Usage | null; step: number }
  /** A run is being made ready: the share of kernels that are compiled, 0 to 1. */
  | { type: 'starting'; share: number }
  /**
   * A run exists now. `from`: the step that it goes on from, in a checkpoint. `continues`: it is the run before, taken
   * back to that step; otherwise charts and samples begin anew.
   */
  | {
      type: 'started';
      run: string;
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
  /** The run stopped itself: NaN or infinity (it diverged), or an error in the core. */
  | { type: 'failed'; message: string; diverged: boolean }
  /** A worker that shared the run's batches is gone. Nothing is lost: the run goes on without workers. */
  | { type: 'workers-lost'; message: string }
  /** The GPU is gone. It is being opened again, and the run, if there is one, goes on from this step. */
  | { type: 'recovering'; message: string; from: number | null }
  /** It is back, and all goes on as before. */
  | { type: 'recovered' }
  /** The device is gone for good, and the run with it; `from`: the step that it can be gone on from. */
  | { type: 'lost'; message: string; from: number | null }
  | { type: 'metrics'; metrics: Metric[] }
  | { type: 'evaluation'; evaluation: Evaluation; positions: ByPosition }
  /** The downstream tasks were scored; `examples` show some of what was asked then. */
  | { type: 'scores'; scores: Scores }
  | { type: 'examples'; examples: Examples[] }
  /** A text is begun, on schedule or because it was asked for; `pieces` go on with it until they are done. */
  | { type: 'sample'; sample: Sample }
  | { type: 'pieces'; pieces: Piece[]; done: boolean }
  | { type: 'sample-refused'; message: string }
  | { type: 'saved'; step: number; file: Uint8Array<ArrayBuffer> }
  /** A file could not be written or gone on from. */
  | { type: 'file-refused'; wanted: 'save' | 'load'; message: string }
  /** The weights of the present run are kept in this browser. */
  | { type: 'kept'; run: string; kept: Kept }
  /** Those of a run that the page does not know are. */
  | { type: 'found-kept'; run: string; kept: Kept }
  /** They cannot be; `full`: for want of room, as much as `bytes`. Told whenever that is so. */
  | { type: 'not-kept'; run: string; bytes: number; full: boolean; message: string }
  /** The share of kernels that are timed. */
  | { type: 'profiling'; share: number }
  | { type: 'profiled'; measured: Measured }
  | { type: 'length-cost'; told: Told }
  /** No profile; `message`: why, or null where something else was asked for. */
  | { type: 'unprofiled'; message: string | null }
  /** The share that is done of what is found out about the use of the context. */
  | { type: 'use-progress'; what: What; share: number }
  /** Of run `run`, after `step`. */
  | { type: 'use-found'; run: string; step: number; found: Found }
  /** Nothing was found; `message`: why, or null where something else was asked for. */
  | { type: 'use-ended'; what: What; message: string | null }
  | { type: 'swept'; id: number; reading: Reading }
  /** `cost`: null where there is none, and why: problems of the config, or a message. */
  | { type: 'cost'; id: number; cost: Cost | null; problems: Problem[]; message: string | null }
  /** `message`: why there is no verdict. */
  | { type: 'compared'; id: number; verdict: Verdict | null; message: string | null }
  /** All that were measured on the adapter so far, to be kept for the next visit. */
  | { type: 'tilings'; adapter: string; tilings: string };
