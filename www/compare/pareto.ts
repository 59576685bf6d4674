// What nothing beats in both of two measures.

import type { Goal } from './measures';

export type Point = { x: number; y: number };

/** The indices of the points that no other beats in one measure without losing in the other, from the best in x on. */
export function front(points: Point[], xGoal: Goal, yGoal: Goal): number[] {
  const [xSign, ySign] = [xGoal, yGoal].map((goal) => (goal === 'maximize' ? 1 : -1)) as [1 | -1, 1 | -1];
  // From the best x on, the best y first among equals: what comes later stays only where its y beats all before it.
  const order = points
    .map((point, index) => ({ x: xSign * point.x, y: ySign * point.y, index }))
    .toSorted((one, other) => other.x - one.x || other.y - one.y);
  const kept: typeof order = [];
  for (const point of order) {
    const best = kept.at(-1);
    const ties = best !== undefined && point.x === best.x && point.y === best.y;
    if (best === undefined || point.y > best.y || ties) kept.push(point);
  }
  return kept.map(({ index }) => index);
}
