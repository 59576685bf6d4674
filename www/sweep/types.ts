// What a sweep is: many runs of which each differs from the others in what is asked about, in the form of W&B's sweeps.

import type { Config, Value } from '../config/schema';
import type { DeviceKind, Problem } from '../lab';
import type { Brought } from '../lab-worker';

/** What one setting, by its path, is in the runs of a sweep. */
export type Parameter = {
  /** The same in all. */
  value?: Value;
  /** One of these. */
  values?: Value[];
  /** Drawn between these, where `method` is random. */
  min?: number;
  max?: number;
  distribution?: string;
  [more: string]: unknown;
};

/** A sweep as W&B writes it, as JSON. What none of its parameters names has its default. */
export type Definition = {
  name?: string;
  description?: string;
  method: 'grid' | 'random';
  metric?: { name: string; goal: 'minimize' | 'maximize' };
  /** The most runs that are drawn. */
  run_cap?: number;
  parameters: Record<string, Parameter>;
};

/** What runs are given equally much of; nothing: steps, as their configs say. */
export type Budget = { kind: 'tokens' | 'bytes' | 'flops' | 'seconds'; amount: number };

/**
 * A run of a sweep as the core lists it. `id` is short, and the same for the same config and budget; with a budget, the
 * config's steps are the most there can be until it is known how many they are.
 */
export type Listed = { id: string; name: string; values: Record<string, Value>; config: Config };

/** What a run takes: `flops` in all. */
export type Cost = { steps: number; flops: number };

/** `skipped`: by the visitor, maybe when part of it was done. `diverged`: a result, and no fault. */
export type MemberState = 'waiting' | 'running' | 'paused' | 'finished' | 'diverged' | 'failed' | 'skipped';

/** A run of a sweep that is kept. */
export type Member = Omit<Listed, 'id'> & {
  /** Of the run that is stored. */
  run: string;
  /** Its config has as many steps as the budget gives once this is known. */
  cost: Cost | null;
  state: MemberState;
  /** Why it ended so. */
  message: string | null;
  /** How often it broke down since the visitor last asked for it. */
  broken: number;
};

/** `queued`: comes after the one that runs. `done`: there is nothing left to do. */
export type SweepState = 'ready' | 'queued' | 'running' | 'paused' | 'done';

/** A sweep as it is kept in the browser's database. */
export type Sweep = {
  id: string;
  name: string;
  created: number;
  definition: Definition;
  device: DeviceKind;
  /** How many runs go side by side. */
  workers: number;
  state: SweepState;
  /** Why it stands still, where that needs saying. */
  message: string | null;
  /** Texts and tokenizers of the visitor's own, which its runs need. */
  brought: Brought;
  /** In the order in which they run. */
  members: Member[];
};

/** A definition in its usual form and its runs, or all that is wrong with them. */
export type Reading = { definition: Definition | null; runs: Listed[]; problems: Problem[] };
