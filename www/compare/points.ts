// What can be drawn along a run: points of its tables, and what they are between them.

import { type Cell, smooth } from '../charts/table';
import type { XAxis } from '../charts/view';
import { figures, nats, percent } from '../format';
import type { Metric } from '../lab';
import type { StoredRun } from '../store/types';
import type { Likeness } from './likeness';
import { aboutTask, scoreOn, tasksOf } from './measures';

export type Points = { xs: ArrayLike<number>; ys: ArrayLike<number> };

export type Curve = {
  id: string;
  label: string;
  unit: string;
  show: (value: number) => string;
  needs: Likeness[];
  points: (run: StoredRun, x: XAxis) => Points;
  /** Each step has a point, and these are smoothed first. */
  smoothed: boolean;
};

/** Of the past, in the moving average. */
export const WEIGHT = 0.9;

function finite(xs: ArrayLike<number>, ys: ArrayLike<Cell>): Points {
  const points = { xs: [] as number[], ys: [] as number[] };
  for (let index = 0; index < ys.length; index++) {
    const [x, y] = [xs[index], ys[index]];
    if (x === undefined || y == null || !Number.isFinite(x) || !Number.isFinite(y)) continue;
    points.xs.push(x);
    points.ys.push(y);
  }
  return points;
}

const validated =
  (key: 'loss' | 'bits_per_byte'): Curve['points'] =>
  ({ validation }, x) =>
    finite(validation[x], validation[key]);

const trained =
  (key: keyof Metric): Curve['points'] =>
  ({ train }, x) =>
    finite(train[x], smooth(train[key], WEIGHT));

const scored =
  (of: (scores: StoredRun['scores'][number]) => number | null): Curve['points'] =>
  ({ scores }, x) =>
    finite(
      scores.map((one) => one[x]),
      scores.map(of),
    );

const CURVES: Curve[] = [
  {
    id: 'validation.bits_per_byte',
    label: 'Validation, bits per byte',
    unit: 'bits per byte of held-out text',
    show: nats,
    needs: ['text'],
    points: validated('bits_per_byte'),
    smoothed: false,
  },
  {
    id: 'validation.loss',
    label: 'Validation, loss per token',
    unit: 'nats per held-out token',
    show: nats,
    needs: ['tokenizer', 'text'],
    points: validated('loss'),
    smoothed: false,
  },
  {
    id: 'train.bits_per_byte',
    label: 'Training, bits per byte',
    unit: 'bits per byte of training text',
    show: nats,
    needs: ['text'],
    points: trained('bits_per_byte'),
    smoothed: true,
  },
  {
    id: 'train.loss',
    label: 'Training, loss per token',
    unit: 'nats per training token',
    show: nats,
    needs: ['tokenizer', 'text'],
    points: trained('loss'),
    smoothed: true,
  },
  {
    id: 'train.tokens_per_second',
    label: 'Speed',
    unit: 'training tokens per second',
    show: figures,
    needs: [],
    points: trained('tokens_per_second'),
    smoothed: true,
  },
  {
    id: 'train.grad_norm',
    label: 'Gradient norm',
    unit: 'norm, before clipping',
    show: figures,
    needs: [],
    points: trained('grad_norm'),
    smoothed: true,
  },
  {
    id: 'train.learning_rate',
    label: 'Learning rate',
    unit: 'learning rate',
    show: figures,
    needs: [],
    points: ({ train }, x) => finite(train[x], train.learning_rate),
    smoothed: false,
  },
];

const ACCURACY: Curve = {
  id: 'accuracy',
  label: 'Downstream accuracy',
  unit: 'share of items answered right, mean over tasks',
  show: percent,
  needs: ['tasks'],
  points: scored(({ accuracy }) => accuracy),
  smoothed: false,
};

/** What there is to draw of these runs: bits per byte comes first. */
export function curvesOf(runs: StoredRun[]): Curve[] {
  const tasks = tasksOf(runs).map(
    (task): Curve => ({
      ...ACCURACY,
      ...aboutTask(task),
      unit: 'share of items answered right',
      points: scored((scores) => scoreOn(scores, task)),
    }),
  );
  const [first, ...others] = CURVES;
  const downstream = runs.some(({ scores }) => scores.length > 0) ? [ACCURACY, ...tasks] : [];
  return [...(first ? [first] : []), ...downstream, ...others];
}

/** Read once for each run, curve and axis: a run that goes on is another object each time. */
const known = new WeakMap<StoredRun, Map<string, Points>>();

export function pointsOf(run: StoredRun, curve: Curve, x: XAxis): Points {
  const of = known.get(run) ?? new Map<string, Points>();
  known.set(run, of);
  const key = `${curve.id} ${x}`;
  const points = of.get(key) ?? curve.points(run, x);
  of.set(key, points);
  return points;
}

/** Between two points on the straight line through them; null before the first and after the last. */
export function interpolate({ xs, ys }: Points, axis: number[]): Cell[] {
  let after = 0;
  return axis.map((x) => {
    while (after < xs.length && (xs[after] as number) < x) after += 1;
    const [right, y] = [xs[after], ys[after]];
    if (right === undefined || y === undefined) return null;
    if (right === x) return y;
    const [left, before] = [xs[after - 1], ys[after - 1]];
    if (left === undefined || before === undefined) return null;
    return before + ((y - before) * (x - left)) / (right - left);
  });
}

/** As many as there are pixels to tell apart, about. */
const MOST = 512;

/** All places at which there are points, or where these are too many, places evenly between the first and the last. */
export function commonAxis(all: Points[], log: boolean): number[] {
  const places = new Set<number>();
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { xs } of all) {
    for (let index = 0; index < xs.length; index++) {
      const x = xs[index] as number;
      if (log && x <= 0) continue;
      if (places.size <= MOST) places.add(x);
      if (x < low) low = x;
      if (x > high) high = x;
    }
  }
  if (places.size <= MOST) return [...places].sort((one, other) => one - other);
  const at = (share: number) => (log ? low * (high / low) ** share : low + (high - low) * share);
  const between = Array.from({ length: MOST - 2 }, (_, index) => at((index + 1) / (MOST - 1)));
  return [low, ...between, high];
}
