// From values to places along an axis.

import { linearTicks, logTicks, padded } from '../charts/ticks';

export type Scale = {
  low: number;
  high: number;
  log: boolean;
  /** 0 to 1 within the range. */
  share: (value: number) => number;
};

/** Around all of these, with a little room. A logarithmic one leaves out what is not above zero. */
export function scaleOf(values: number[], log: boolean): Scale {
  const fit = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
  const least = fit.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const most = fit.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  return between(...padded(least, most, log, false), log);
}

export function between(low: number, high: number, log: boolean): Scale {
  const of = (value: number) => (log ? Math.log(value) : value);
  const share = (value: number) => (of(value) - of(low)) / (of(high) - of(low));
  return { low, high, log, share };
}

export const ticks = ({ low, high, log }: Scale, most: number): number[] =>
  log ? logTicks(low, high, most) : linearTicks(low, high, most);
