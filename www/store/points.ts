// The points of a run in chunks, so that a long run is not written whole each second.

import { EVALUATION, METRIC } from '../record';
import type { Chunk, Series, StoredRun, Table } from './types';

/** Rows of a chunk. */
const ROWS = 1024;

export const KEYS = { train: METRIC, validation: EVALUATION } as const;
export const SERIES: Series[] = ['train', 'validation'];

export type Tables = Pick<StoredRun, Series>;

export const rowsOf = (table: Table<'step'>): number => table.step.length;

/** The chunks that hold the rows from `from` on. */
export function chunksOf(run: string, series: Series, table: Table<string>, from: number): Chunk[] {
  const rows = rowsOf(table as Table<'step'>);
  const chunks: Chunk[] = [];
  for (let index = Math.floor(from / ROWS); index * ROWS < rows; index++) {
    // A view would be written with all that it is a view of.
    const cut = KEYS[series].map(
      (key) => [key, table[key]?.slice(index * ROWS, Math.min((index + 1) * ROWS, rows))] as const,
    );
    chunks.push({ run, series, index, columns: Object.fromEntries(cut) as Table<string> });
  }
  return chunks;
}

/** How many chunks that many rows take. */
export const chunkCount = (rows: number): number => Math.ceil(rows / ROWS);

/** Put together again; what a chunk lacks is not a number. */
export function tableOf<S extends Series>(series: S, chunks: Chunk[], rows: number): StoredRun[S] {
  const columns = KEYS[series].map((key) => {
    const column = new Float64Array(rows).fill(Number.NaN);
    for (const { index, columns } of chunks) {
      const part = columns[key] ?? new Float64Array(0);
      column.set(part.subarray(0, Math.max(rows - index * ROWS, 0)), Math.min(index * ROWS, rows));
    }
    return [key, column] as const;
  });
  return Object.fromEntries(columns) as StoredRun[S];
}

/** The last row; null where there is none. */
export function lastRow<Key extends string>(table: Table<Key>): Record<Key, number> | null {
  const rows = rowsOf(table as Table<string> as Table<'step'>);
  if (rows === 0) return null;
  const cells = Object.entries<Float64Array>(table).map(([key, column]) => [
    key,
    column[rows - 1] ?? Number.NaN,
  ]);
  return Object.fromEntries(cells) as Record<Key, number>;
}
