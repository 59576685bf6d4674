// What a run has told: every point of it, in columns, for charts and export.

import type { Config } from './config/schema';
import type { DeviceInfo, Evaluation, Metric, Plan, Sample } from './lab';

/** A table of numbers that grows; every row stays. */
export class Columns<Key extends string> {
  length = 0;
  readonly keys: readonly Key[];
  private readonly data: Map<Key, Float64Array>;

  constructor(keys: readonly Key[]) {
    this.keys = keys;
    this.data = new Map(keys.map((key) => [key, new Float64Array(1024)]));
  }

  push(row: Record<Key, number>): void {
    for (const [key, column] of this.data) {
      if (this.length === column.length) {
        const longer = new Float64Array(column.length * 2);
        longer.set(column);
        this.data.set(key, longer);
      }
    }
    for (const [key, column] of this.data) column[this.length] = row[key];
    this.length += 1;
  }

  /** The rows so far, without a copy. */
  column(key: Key): Float64Array {
    return (this.data.get(key) ?? new Float64Array(0)).subarray(0, this.length);
  }

  last(): Record<Key, number> | null {
    if (this.length === 0) return null;
    const pairs = this.keys.map((key) => [key, this.column(key)[this.length - 1] ?? Number.NaN] as const);
    return Object.fromEntries(pairs) as Record<Key, number>;
  }
}

const PLACE = ['step', 'tokens', 'seconds', 'flops'] as const;
export const METRIC = [
  ...PLACE,
  'loss',
  'bits_per_byte',
  'learning_rate',
  'grad_norm',
  'tokens_per_second',
] as const;
export const EVALUATION = [...PLACE, 'loss', 'bits_per_byte'] as const;

export class RunRecord {
  readonly train = new Columns<keyof Metric>(METRIC);
  readonly validation = new Columns<keyof Evaluation>(EVALUATION);
  readonly samples: Sample[] = [];

  readonly config: Config;
  readonly plan: Plan;
  readonly device: DeviceInfo;

  constructor(config: Config, plan: Plan, device: DeviceInfo) {
    this.config = config;
    this.plan = plan;
    this.device = device;
  }
}
