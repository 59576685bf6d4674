// What the runs of a sweep came to, a row each.

import type { Config, Value } from '../config/schema';
import { headOf } from '../store/runs';
import type { Member, MemberState, Sweep } from './types';

/** Of the last point of a run. */
export const RESULTS = [
  'step',
  'tokens',
  'seconds',
  'flops',
  'loss',
  'tokens_per_second',
  'validation_loss',
  'bits_per_byte',
  'accuracy',
] as const;

export type Results = Record<(typeof RESULTS)[number], number | null>;

export type Row = {
  run: string;
  name: string;
  state: MemberState;
  message: string | null;
  values: Record<string, Value>;
  config: Config;
  results: Results;
};

export function resultsOf(run: string): Results {
  const head = headOf(run);
  const { last = null, held = null } = head ?? {};
  return {
    step: last?.step ?? null,
    tokens: last?.tokens ?? null,
    seconds: last?.seconds ?? null,
    flops: last?.flops ?? null,
    loss: last?.loss ?? null,
    tokens_per_second: last?.tokens_per_second ?? null,
    validation_loss: held?.loss ?? null,
    bits_per_byte: held?.bits_per_byte ?? null,
    accuracy: head?.scores.at(-1)?.accuracy ?? null,
  };
}

const rowOf = ({ run, name, state, message, values, config }: Member): Row => ({
  run,
  name,
  state,
  message,
  values,
  config,
  results: resultsOf(run),
});

export const rowsOf = ({ members }: Sweep): Row[] => members.map(rowOf);
