// What is kept of a run in this browser's database. Weights lie in files of their own, under the run's id.

import type { Config } from '../config/schema';
import type { DeviceInfo, Evaluation, Examples, Metric, Plan, Sample, Scores } from '../lab';
import type { ByPosition } from '../length/use/types';

/** `interrupted`: the page went away while it trained. `diverged`: a result, and no fault. */
export const RUN_STATES = [
  'running',
  'paused',
  'stopped',
  'finished',
  'diverged',
  'failed',
  'interrupted',
] as const;
export type RunState = (typeof RUN_STATES)[number];

/** Columns of equal length. */
export type Table<Key extends string> = Record<Key, Float64Array>;

export type Series = 'train' | 'validation';

/** What a run found out beside its points. */
export type Findings = {
  samples: Sample[];
  /** The loss by position, as it was last validated. */
  positions: { step: number; by: ByPosition } | null;
  /** Some of the downstream tasks' questions, as they were answered last. */
  examples: Examples[];
};

export type StoredRun = {
  id: string;
  /** Unique words that the visitor may change. */
  name: string;
  /** In milliseconds since 1970. */
  created: number;
  config: Config;
  plan: Plan;
  device: DeviceInfo;
  state: RunState;
  /** Why it ended so. */
  message: string | null;
  /** The sweep that it is part of, by id. */
  sweep: string | null;
  train: Table<keyof Metric>;
  validation: Table<keyof Evaluation>;
  /** The earliest first. */
  scores: Scores[];
  findings: Findings;
};

/** The weights of a run, in a file of the browser's. */
export type Weights = { step: number; bytes: number; at: number };

/** A run without its points and findings, and with what the points end with: all that a list needs. */
export type RunHead = Omit<StoredRun, Series | 'findings'> & {
  rows: Record<Series, number>;
  last: Metric | null;
  held: Evaluation | null;
  weights: Weights | null;
};

/** Points of a run one after the other: the unit that is written. */
export type Chunk = { run: string; series: Series; index: number; columns: Table<string> };

/** The findings of a run: written whole. */
export type RunFindings = Findings & { run: string };

/** A sweep, by those who make them; only this much is known here. */
export type StoredSweep = { id: string; name: string; created: number };
