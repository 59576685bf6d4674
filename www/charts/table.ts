// From the record's columns to the aligned columns that a plot draws: one x, then one column a line.

import type { Columns } from '../record';
import type { XAxis } from './view';

export type Cell = number | null;
/** `[x, line 1, line 2, …]`, all of one length, x ascending. */
export type Table = Cell[][];

type Rows<Key extends string> = Columns<Key | XAxis>;

/** A measured quantity: its raw points and their moving average. */
export function measured<Key extends string>(rows: Rows<Key>, x: XAxis, key: Key, weight: number): Table {
  const values = rows.column(key);
  return [[...rows.column(x)], cells(values), smooth(values, weight)];
}

/** Two tables with x columns of their own on one x, each line with gaps where the other has its points. */
export function merge(a: Table, b: Table): Table {
  const merged: Table = Array.from({ length: a.length + b.length - 1 }, () => []);
  const [xs, ys] = [a[0] ?? [], b[0] ?? []];
  let i = 0;
  let j = 0;
  while (i < xs.length || j < ys.length) {
    const x = xs[i] ?? Number.POSITIVE_INFINITY;
    const y = ys[j] ?? Number.POSITIVE_INFINITY;
    merged[0]?.push(Math.min(x, y));
    for (let line = 1; line < a.length; line++) merged[line]?.push(x <= y ? (a[line]?.[i] ?? null) : null);
    for (let line = 1; line < b.length; line++) {
      merged[a.length + line - 1]?.push(y <= x ? (b[line]?.[j] ?? null) : null);
    }
    if (x <= y) i += 1;
    if (y <= x) j += 1;
  }
  return merged;
}

/** On a logarithmic axis what is not above zero has no place. */
export function positive(table: Table, logX: boolean, logY: boolean): Table {
  const first = logX ? (table[0] ?? []).findIndex((x) => x !== null && x > 0) : 0;
  const start = first < 0 ? (table[0]?.length ?? 0) : first;
  const rest = start > 0 ? table.map((column) => column.slice(start)) : table;
  if (!logY) return rest;
  return rest.map((column, line) =>
    line === 0 ? column : column.map((y) => (y !== null && y > 0 ? y : null)),
  );
}

/** Exponential moving average, corrected for its start, so that it begins at the first point. */
export function smooth(values: Float64Array, weight: number): Cell[] {
  let sum = 0;
  let total = 0;
  return Array.from(values, (value) => {
    if (!Number.isFinite(value)) return null;
    sum = weight * sum + (1 - weight) * value;
    total = weight * total + (1 - weight);
    return sum / total;
  });
}

export const cells = (values: Float64Array): Cell[] =>
  Array.from(values, (value) => (Number.isFinite(value) ? value : null));
