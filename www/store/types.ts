// What is kept of a run in this browser's database. Weights lie in files of their own, under the run's id.

import type { Config } from '../config/schema';
import type { DeviceInfo, Evaluation, Metric, Plan, Scores } from '../lab';

/** `interrupted`: the page went away while it trained. `diverged`: a result, and no fault. */
export type RunState = 'running' | 'paused' | 'stopped' | 'finished' | 'diverged' | 'failed' | 'interrupted';

/** Columns of equal length. */
export type Table<Key extends string> = Record<Key, Float64Array>;

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
};
