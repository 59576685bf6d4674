// A group by one measure: its runs' values, their mean, and what was left out and why.

import type { StoredRun } from '../store/types';
import { draws, type Group, isResult } from './groups';
import type { Measure } from './measures';
import type { Fields } from './names';
import { type Estimate, estimate } from './statistics';

export type Census = {
  /** Those that count: ended as they were to, each seed once. */
  counted: StoredRun[];
  diverged: StoredRun[];
  /** Neither ended as they were to nor diverged, and not asked for. */
  unfinished: StoredRun[];
  /** Made again with the same seed, so that the later one stands for both. */
  repeats: number;
};

/** `unfinished`: take runs that are not done as they stand. */
export function census({ runs }: Group, unfinished: boolean, fields: Fields): Census {
  const diverged = runs.filter(({ state }) => state === 'diverged');
  const rest = runs.filter(({ state }) => state !== 'diverged');
  const ready = rest.filter((run) => unfinished || isResult(run));
  const counted = draws(ready, fields);
  return {
    counted,
    diverged: draws(diverged, fields),
    unfinished: rest.filter((run) => !ready.includes(run)),
    repeats: ready.length - counted.length,
  };
}

/** Of the runs that have one. */
export function summary(census: Census, measure: Measure): Estimate | null {
  return estimate(census.counted.map(measure.of).filter((value) => value !== null));
}

/** With its interval, where there is one. */
export function estimateWords(of: Estimate | null, show: (value: number) => string): string {
  if (!of) return 'none';
  return of.low === null || of.high === null
    ? show(of.mean)
    : `${show(of.mean)}, 95% interval ${show(of.low)} to ${show(of.high)}`;
}
