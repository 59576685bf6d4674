// Groups as points in a plane of two measures.

import type { Measure } from './measures';
import { front } from './pareto';
import type { Entry } from './scene';
import type { Estimate } from './statistics';
import { summary } from './summary';

export type Mark = {
  entry: Entry;
  x: Estimate;
  y: Estimate;
  size: Estimate | null;
  /** No other group is better in both measures. */
  front: boolean;
};

/** Groups that have both; on logarithmic axes those that have a place there. */
export function marks(
  entries: Entry[],
  of: { x: Measure; y: Measure; size: Measure | undefined },
  log: { x: boolean; y: boolean },
): Mark[] {
  const found = entries.flatMap((entry): Mark[] => {
    const [x, y] = [summary(entry.census, of.x), summary(entry.census, of.y)];
    if (!x || !y || (log.x && x.mean <= 0) || (log.y && y.mean <= 0)) return [];
    return [{ entry, x, y, size: of.size ? summary(entry.census, of.size) : null, front: false }];
  });
  if (of.x.goal === null || of.y.goal === null) return found;
  const places = found.map(({ x, y }) => ({ x: x.mean, y: y.mean }));
  const best = new Set(front(places, of.x.goal, of.y.goal));
  return found.map((mark, index) => ({ ...mark, front: best.has(index) }));
}

/** Smallest and largest radius, in CSS pixels. */
const [SMALL, LARGE] = [4.5, 15];

/** Its area follows the measure, between the smallest and the largest of them. */
export function radius(mark: Mark, all: Mark[]): number {
  const sizes = all.map(({ size }) => size?.mean).filter((size) => size !== undefined);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  if (!mark.size || most <= least) return 6.5;
  const share = (mark.size.mean - least) / (most - least);
  return Math.sqrt(SMALL ** 2 + share * (LARGE ** 2 - SMALL ** 2));
}
