// How far a sweep is, and how long it has to go. Pure.

import type { Member, Sweep } from './types';

/** A run that is under way, as it was last heard of. */
export type Live = {
  /** Of getting ready: text, tokenizer, kernels; null once it trains. */
  readiness: number | null;
  step: number;
  flops: number;
  tokensPerSecond: number | null;
  /** Of the last validation. */
  bitsPerByte: number | null;
};

export type Lives = ReadonlyMap<string, Live>;

/** What was trained since a sweep was last begun, and how long that took: with all its runs side by side. */
export type Pace = { flops: number; seconds: number };

/** Until so much has passed a pace says nothing. */
const SECONDS = 3;

export const stepsOf = ({ cost, config }: Member): number =>
  cost?.steps ?? Number(config.training?.steps ?? 0);

/** Nothing more is to be done about it. */
export const isOver = ({ state }: Member): boolean => !['waiting', 'running', 'paused'].includes(state);

export const isDone = ({ members }: Sweep): boolean => members.every(isOver);

/** Work of all runs, as far as it is known, and null where that of any is not. */
export function totalFlops(members: Member[]): number | null {
  const known = members.map(({ cost }) => cost?.flops);
  return known.includes(undefined) ? null : known.reduce<number>((sum, flops) => sum + (flops ?? 0), 0);
}

export function flopsLeft(members: Member[], lives: Lives): number | null {
  const left = members.filter((member) => !isOver(member));
  const total = totalFlops(left);
  if (total === null) return null;
  return Math.max(total - left.reduce((sum, { run }) => sum + (lives.get(run)?.flops ?? 0), 0), 0);
}

/** In seconds; null where it cannot be told yet. */
export function timeLeft(members: Member[], lives: Lives, { flops, seconds }: Pace): number | null {
  const left = flopsLeft(members, lives);
  if (left === null || seconds < SECONDS || flops <= 0) return null;
  return (left / flops) * seconds;
}

/** From 0 to 1: by work where that is known, by runs where it is not. */
export function share(members: Member[], lives: Lives): number {
  if (members.length === 0) return 1;
  const total = totalFlops(members);
  const left = flopsLeft(members, lives);
  if (total === null || left === null || total === 0) return members.filter(isOver).length / members.length;
  return 1 - left / total;
}
