// What a run has told: every point of it, in columns, for charts and export.

import type { Config } from './config/schema';
import type { DeviceInfo, Evaluation, Examples, Metric, Piece, Plan, Sample, Scores } from './lab';
import type { ByPosition } from './length/use/types';
import type { Findings, StoredRun } from './store/types';

/** A table of numbers that grows; every row stays. */
export class Columns<Key extends string> {
  length = 0;
  readonly keys: readonly Key[];
  private readonly data: Map<Key, Float64Array>;

  constructor(keys: readonly Key[]) {
    this.keys = keys;
    this.data = new Map(keys.map((key) => [key, new Float64Array(1024)]));
  }

  /** Adds a row; one of the same step as the last takes its place. */
  push(row: Record<Key, number>): void {
    if (this.length > 0 && this.data.get('step' as Key)?.[this.length - 1] === row['step' as Key])
      this.length -= 1;
    for (const [key, column] of this.data) {
      if (this.length === column.length) {
        const longer = new Float64Array(Math.max(column.length * 2, 1024));
        longer.set(column);
        this.data.set(key, longer);
      }
    }
    for (const [key, column] of this.data) column[this.length] = row[key];
    this.length += 1;
  }

  /** Takes over the rows of another table for as long as they fit. */
  copy(from: Columns<Key>, fits: (row: Record<Key, number>) => boolean): void {
    for (let index = 0; index < from.length; index++) {
      const row = from.row(index);
      if (!fits(row)) return;
      this.push(row);
    }
  }

  /** The rows so far, without a copy. */
  column(key: Key): Float64Array {
    return (this.data.get(key) ?? new Float64Array(0)).subarray(0, this.length);
  }

  /** All columns, without a copy. */
  table(): Record<Key, Float64Array> {
    const columns = this.keys.map((key) => [key, this.column(key)] as const);
    return Object.fromEntries(columns) as Record<Key, Float64Array>;
  }

  /** Takes up the rows of a table. */
  fill(table: Record<Key, Float64Array>): void {
    for (const key of this.keys) this.data.set(key, table[key].slice());
    this.length = table[this.keys[0] as Key].length;
  }

  last(): Record<Key, number> | null {
    return this.length === 0 ? null : this.row(this.length - 1);
  }

  private row(index: number): Record<Key, number> {
    const pairs = this.keys.map((key) => [key, this.column(key)[index] ?? Number.NaN] as const);
    return Object.fromEntries(pairs) as Record<Key, number>;
  }
}

export const PLACE = ['step', 'tokens', 'seconds', 'flops'] as const;
export const METRIC = [
  ...PLACE,
  'loss',
  'bits_per_byte',
  'learning_rate',
  'grad_norm',
  'tokens_per_second',
] as const;
export const EVALUATION = [...PLACE, 'loss', 'bits_per_byte', 'standard_error'] as const;

export class RunRecord {
  readonly train = new Columns<keyof Metric>(METRIC);
  readonly validation = new Columns<keyof Evaluation>(EVALUATION);
  /** Of the downstream tasks, the earliest first. */
  readonly scores: Scores[] = [];
  readonly findings: Findings = { samples: [], positions: null, examples: [] };
  /** Goes up whenever findings have come in whole. */
  found = 0;

  readonly config: Config;
  readonly plan: Plan;
  readonly device: DeviceInfo;

  /** The step that it goes on from. */
  readonly from: number;

  constructor(config: Config, plan: Plan, device: DeviceInfo, from: number) {
    this.from = from;
    this.config = config;
    this.plan = plan;
    this.device = device;
  }

  /** As it was stored. */
  static of(stored: StoredRun): RunRecord {
    const record = new RunRecord(stored.config, stored.plan, stored.device, 0);
    record.train.fill(stored.train);
    record.validation.fill(stored.validation);
    record.scores.push(...stored.scores);
    Object.assign(record.findings, structuredClone(stored.findings));
    return record;
  }

  /** The last step that it knows of. */
  get step(): number {
    return this.train.last()?.step ?? this.from;
  }

  /** What the same run told before it was taken back to this one's first step. */
  takeUp(earlier: RunRecord): void {
    this.train.copy(earlier.train, ({ step }) => step <= this.from);
    this.validation.copy(earlier.validation, ({ step }) => step <= this.from);
    this.scores.push(...earlier.scores.filter(({ step }) => step <= this.from));
    const { samples, positions, examples } = earlier.findings;
    this.findings.samples.push(...samples.filter(({ step }) => step <= this.from));
    Object.assign(this.findings, { positions, examples });
    this.found += 1;
  }

  addEvaluation(evaluation: Evaluation, by: ByPosition): void {
    this.validation.push(evaluation);
    this.findings.positions = { step: evaluation.step, by };
    this.found += 1;
  }

  setExamples(examples: Examples[]): void {
    this.findings.examples = examples;
    this.found += 1;
  }

  /** Scores of the same step as the last take their place: a run that goes on is asked again where it begins. */
  addScores(scores: Scores): void {
    if (this.scores.at(-1)?.step === scores.step) this.scores.pop();
    this.scores.push(scores);
  }

  /** A run that goes on may sample anew where it begins: the same text then, which takes the other's place. */
  addSample(sample: Sample): void {
    const { pieces: _, ...choices } = sample;
    const same = ({ pieces: _, ...others }: Sample) => JSON.stringify(others) === JSON.stringify(choices);
    const { samples } = this.findings;
    const known = sample.step === this.from ? samples.findIndex(same) : -1;
    if (known >= 0) samples.splice(known, 1);
    samples.push(sample);
  }

  /** Of the last sample; `done`: it is whole. */
  addPieces(pieces: Piece[], done: boolean): void {
    this.findings.samples.at(-1)?.pieces.push(...pieces);
    if (done) this.found += 1;
  }
}
