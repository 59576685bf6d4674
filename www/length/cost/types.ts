// What a longer context costs, as the core measures it, and what passes between the page and the worker about it.

import type { Config } from '../../config/schema';
import type { DeviceInfo, Law, Part } from '../../lab';

/** A grid of contexts and widths, with as many tokens in every step. */
export type Experiment = {
  base: Config;
  lengths: number[];
  widths: number[];
  tokens: number;
  /** Seconds spent on a cell's steps, about; a kernel gets a tenth. */
  budget: number;
};

export type PartTime = {
  part: Part;
  /** For each token. */
  flops: number;
  bytes: number;
  /** Of a step: its kernels, each timed alone. */
  seconds: number;
  /** Of the time, and of the operations, of all kernels: 0 to 1. */
  share: number;
  flops_share: number;
};

/** One width at one length. */
export type Cell = {
  width: number;
  length: number;
  tokens: number;
  layers: number;
  bytes: number;
  rounds: number;
  step_seconds: number;
  quartiles: [number, number];
  fastest_seconds: number;
  tokens_per_second: number;
  parts: PartTime[];
};

/** By what share a doubling of the context changes the tokens per second. */
export type Doubling = {
  width: number;
  from: number;
  to: number;
  change: number;
  of_fastest: number;
  by_flops: number;
};

type Crossing = { length: number; beyond: boolean };

/** Where attention takes as long as something else. */
export type Crossover = {
  width: number;
  law: Law;
  counted: number;
  beside_products: Crossing;
  beside_all: Crossing;
  attention_gflops: number;
  products_gflops: number;
};

export type Prediction = {
  width: number;
  length: number;
  tokens_per_second: number;
  attention_share: number;
  law_share: number;
};

export type Report = {
  cells: Cell[];
  doublings: Doubling[];
  crossovers: Crossover[];
  predictions: Prediction[];
};

export type Clock = 'cpu' | 'timestamps' | 'wall_clock';

/** A line of MosaicML's tables. */
export type Published = {
  snapshot: string;
  hardware: string;
  model: string;
  length: number;
  tokens_per_second: number;
  mfu_percent: number | null;
  checkpointing: boolean;
};

export type Measured = {
  experiment: Experiment;
  report: Report;
  clock: Clock;
  device: DeviceInfo;
};

/** Page → worker. */
export type Asked =
  /** What is offered? Answered by `lesson`. */
  | { what: 'lesson' }
  /** Told by `progress`, answered by `measured` or `ended`. */
  | { what: 'measure'; experiment: Experiment }
  | { what: 'end' };

/** Worker → page. */
export type Told =
  | { what: 'lesson'; experiment: Experiment; published: Published[] }
  /** `cell`: one that is known now. */
  | { what: 'progress'; share: number; cell: Cell | null }
  | { what: 'measured'; measured: Measured }
  /** `message`: why it came to nothing, or null where something else was asked for. */
  | { what: 'ended'; message: string | null };
