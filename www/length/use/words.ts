// Figures in words, and as files.

import { csv, csvFile } from '../../charts/csv';
import { save } from '../../charts/save';
import { count } from '../../format';
import type { Attention, ByPosition, Induction, LengthLoss } from './types';

export const bits = (value: number | null): string =>
  value === null || !Number.isFinite(value) ? '–' : value.toFixed(4);

/** `0.0123 ± 0.0045`, or without an error where there is none. */
export const withError = (value: number | null, error: number | null | undefined): string =>
  error === null || error === undefined || !Number.isFinite(error)
    ? bits(value)
    : `${bits(value)} ± ${bits(error)}`;

/** A gain, with its sign. */
export const signed = (value: number): string => `${value < 0 ? '−' : '+'}${bits(Math.abs(value))}`;

/** The positions of a bucket: `17–32`. */
export function range(by: ByPosition, bucket: number): string {
  const [before, last] = [by.last[bucket - 1] ?? 0, by.last[bucket] ?? 0];
  return last === before + 1 ? count(last) : `${count(before + 1)}–${count(last)}`;
}

export const finite = (value: number | null | undefined): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;

const BY_POSITION = ['tokens', 'loss', 'loss_standard_error', 'bits_per_byte', 'standard_error'] as const;
const GAINS = ['gain', 'gain_standard_error'] as const;

const rowsOf = (by: ByPosition): (number | null)[][] =>
  by.last.map((last, i) => [
    (by.last[i - 1] ?? 0) + 1,
    last,
    ...BY_POSITION.map((key) => finite(by[key][i])),
    ...GAINS.map((key) => finite(by[key][i - 1])),
  ]);

const POSITION_HEAD = ['first_position', 'last_position', ...BY_POSITION, ...GAINS];

export const positionsCsv = (by: ByPosition): string => csv([POSITION_HEAD, ...rowsOf(by)]);

/** A row a length, without a position, and then one for each bucket of its positions. */
export function lengthsCsv(lengths: LengthLoss[]): string {
  const rows = lengths.flatMap(
    ({ length, reason, tokens, loss, bits_per_byte, standard_error, by_position }) => [
      [
        length,
        reason,
        null,
        null,
        tokens,
        finite(loss),
        null,
        finite(bits_per_byte),
        finite(standard_error),
        null,
        null,
      ],
      ...rowsOf(by_position).map((row) => [length, null, ...row]),
    ],
  );
  return csv([['length', 'reason', ...POSITION_HEAD], ...rows]);
}

export function inductionCsv({ by_distance, uniform }: Induction): string {
  const keys = ['distance', 'sequences', 'first', 'second', 'gain', 'standard_error'] as const;
  return csv([[...keys, 'uniform'], ...by_distance.map((at) => [...keys.map((key) => at[key]), uniform])]);
}

/** A row a head. */
export function headsCsv({ figures, uniform_distance }: Attention): string {
  const keys = ['distance', 'on_first', 'on_previous', 'on_itself'] as const;
  return csv([
    ['layer', 'head', ...keys, 'uniform_distance'],
    ...figures.map((head) => [
      head.layer + 1,
      head.head + 1,
      ...keys.map((key) => head[key]),
      uniform_distance,
    ]),
  ]);
}

export const saveCsvOf = (table: string, name: string): void => save(csvFile(table), `trainlab-${name}.csv`);
