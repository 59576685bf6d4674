// All points of a run as one tidy table: a row a point, `series` says which kind.

import type { RunRecord } from '../record';
import { METRIC } from '../record';
import { record } from '../state';
import { save } from './save';

type Cell = string | number | null;

/** Lines of cells; quoted where that is needed. */
export const csv = (rows: Cell[][]): string =>
  rows.map((row) => `${row.map((cell) => quote(String(cell ?? ''))).join(',')}\n`).join('');

const quote = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

export function toCsv(run: RunRecord): string {
  const rows: Cell[][] = [['series', ...METRIC]];
  for (const [series, columns] of [
    ['train', run.train],
    ['validation', run.validation],
  ] as const) {
    const data = METRIC.map((key) =>
      (columns.keys as readonly string[]).includes(key) ? columns.column(key as 'loss') : null,
    );
    for (let row = 0; row < columns.length; row++) {
      rows.push([series, ...data.map((column) => column?.[row] ?? null)]);
    }
  }
  const { unigram_loss, unigram_bits_per_byte } = run.plan;
  const level = METRIC.map((key) =>
    key === 'loss' ? unigram_loss : key === 'bits_per_byte' ? unigram_bits_per_byte : null,
  );
  rows.push(['unigram', ...level]);
  return csv(rows);
}

export function saveCsv(): void {
  if (record.value) save(csvFile(toCsv(record.value)), 'trainlab.csv');
}

export const csvFile = (table: string): Blob => new Blob([table], { type: 'text/csv' });
