// What the page knows. Events from the worker and the visitor's edits change it; components draw it.

import { computed, signal } from '@preact/signals';
import { type Config, type JsonSchema, readSections } from './config/schema';
import { usual as usualOf } from './config/values';
import type { DeviceChoice, DeviceInfo, Plan, Problem } from './lab';
import type { Kept, Measured, Split, TasksFacts, TextFacts, TokenizerFacts } from './protocol';
import type { RunRecord } from './record';
import type { Stage } from './tokenizer/messages';

/** `waking`: the core is being loaded. `starting`: a run was asked for. */
export type Phase =
  | 'waking'
  | 'idle'
  | 'starting'
  | 'running'
  | 'paused'
  | 'stopped'
  | 'finished'
  | 'failed'
  | 'lost'
  | 'crashed';

export type Lost = {
  reason: string;
  /** Where the run was last saved; null where there is none. */
  from: number | null;
  /** Steps since then. */
  repeated: number;
};

export const phase = signal<Phase>('waking');
/** The GPU was lost and is being opened again, or is `back`. `from`: the step that the run goes on from, if there is one. */
export const recovery = signal<(Lost & { back: boolean }) | null>(null);
/** Why no workers share the run's batches any more. */
export const workersLost = signal<string | null>(null);
/** What the run lost with a device that is gone for good. */
export const loss = signal<Lost | null>(null);
/** What went wrong, for the phases `failed`, `lost` and `crashed`, or why a run was refused. */
export const trouble = signal<string | null>(null);
/** While starting: the share of kernels that are compiled. */
export const readiness = signal(0);
export const live = computed(() => ['starting', 'running', 'paused'].includes(phase.value));
/** A checkpoint was asked for. The run before it stays until it is there. */
export const loading = signal<'file' | 'kept' | null>(null);

export const schema = signal<JsonSchema>({});
export const sections = computed(() => readSections(schema.value));
export const defaults = signal<Config>({});
export const config = signal<Config>({});
/** The defaults that come with the choices of the config: what counts as unchanged. */
export const usual = computed(() => usualOf(config.value, defaults.value, sections.value));
export const problems = signal<Problem[]>([]);
/** What was wrong with the link that opened this page. */
export const linkProblems = signal<Problem[]>([]);

export const asked = signal<DeviceChoice>('auto');
export const device = signal<DeviceInfo | null>(null);
/** Why there is no WebGPU, and how to get it. */
export const missing = signal<string | null>(null);
export const deviceRefusal = signal<string | null>(null);

export const plan = signal<Plan | null>(null);
/** Why there is no plan. */
export const noPlan = signal<string | null>(null);
export const text = signal<TextFacts | null>(null);
export const download = signal<{ name: string; received: number; total: number | null } | null>(null);
export const ownText = signal<TextFacts | null>(null);
export const ownRefusal = signal<string | null>(null);

/** The tokenizer that the visitor brought, or that came with a run; why another was refused. */
export const tokenizerFile = signal<TokenizerFacts | null>(null);
export const tokenizerRefusal = signal<string | null>(null);
/** The downstream tasks that the visitor brought; why others were refused. */
export const ownTasks = signal<TasksFacts | null>(null);
export const ownTasksRefusal = signal<string | null>(null);
/** While a tokenizer and the text in its tokens are made ready: how far that is. */
export const tokenizing = signal<{ stage: Stage; share: number | null } | null>(null);
/** The plan waits for them until they are asked for. */
export const waitsForTokenizer = signal(false);

/** How the present text uses the vocabulary, as the open panel shows it. */
export const split = signal<Split | null>(null);

/** How far the present run is kept in the browser's private files. */
export const kept = signal<Kept | null>(null);
/** A run of an earlier visit that can be gone on with; one without a name has left nothing but its weights. */
export const offer = signal<(Kept & { run: string; name: string | null }) | null>(null);
/** What went wrong with a file, and why runs are not kept. */
export const fileTrouble = signal<{ title: string; message: string } | null>(null);
export const notKept = signal<string | null>(null);

/** Where a step's time goes, as measured last. */
export const profile = signal<Measured | null>(null);
/** While that is measured: the share of kernels that are timed. */
export const profiling = signal<number | null>(null);
/** Why the last measurement came to nothing. */
export const noProfile = signal<string | null>(null);

export const record = signal<RunRecord | null>(null);
/** The id of the run that it is the record of, where that is one of the worker's. */
export const present = signal<string | null>(null);
/** A run of the past: looked at, where its record is the one above, or about to be gone on with. */
export const past = signal<{ run: string; record: RunRecord } | null>(null);
/** Counts what was added to the record, which itself is not a signal: it grows thousands of times. */
export const revision = signal(0);
export const sampleRefusal = signal<string | null>(null);
/** A text was asked for, or is being written. */
export const sampling = signal(false);
