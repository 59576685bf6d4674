// The order of groups in the table.

import type { Measure } from './measures';
import type { Entry } from './scene';
import type { Settings } from './settings';
import { summary } from './summary';

/** Groups without a value come last, whichever way. */
export function sorted(entries: Entry[], columns: Measure[], sort: Settings['sort']): Entry[] {
  if (!sort) return entries;
  const sign = sort.descending ? -1 : 1;
  if (sort.by === 'group')
    return entries.toSorted(
      (one, other) => sign * one.group.label.localeCompare(other.group.label, 'en', { numeric: true }),
    );
  const measure = columns.find(({ id }) => id === sort.by);
  const value = ({ census }: Entry): number | null =>
    sort.by === 'runs' ? census.counted.length : measure ? (summary(census, measure)?.mean ?? null) : null;
  return entries.toSorted((one, other) => {
    const [left, right] = [value(one), value(other)];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    return sign * (left - right);
  });
}
