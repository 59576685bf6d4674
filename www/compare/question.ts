// What is asked of the core: which of these groups differ by a measure, and how sure that is.

import type { Question } from '../lab';
import type { StoredRun } from '../store/types';
import { type Group, seedOf } from './groups';
import type { Measure } from './measures';
import type { Census } from './summary';

/** Diverged runs are values, too: none that is finite. Null where there are no two groups to compare. */
export function question(measure: Measure, groups: { group: Group; census: Census }[]): Question | null {
  const { goal } = measure;
  if (goal === null) return null;
  const valued = groups
    .map(({ group, census }) => ({
      name: group.label,
      values: [
        ...census.counted.map((run) => answer(run, measure.of(run))),
        ...census.diverged.map((run) => answer(run, Number.NaN)),
      ].filter((one) => one !== null),
    }))
    .filter(({ values }) => values.length > 0);
  if (valued.length < 2) return null;
  return { metric: { name: measure.label.toLowerCase(), goal, unit: measure.unit }, groups: valued };
}

const answer = (run: StoredRun, value: number | null) =>
  value === null ? null : { seed: seedOf(run), value };
