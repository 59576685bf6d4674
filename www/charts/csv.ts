// All points of a run as one tidy table: a row a point, `series` says which kind; each downstream task is one of its own.
// One whose facts lie at known places has further rows, `downstream:recall:64`: facts 33 to 64 tokens back.
// `standard_error` is that of a validation's bits per byte, or of an accuracy.

import { METRIC, PLACE, type RunRecord } from '../record';
import { record } from '../state';
import { save } from './save';

type Cell = string | number | null;

const SCORE = ['standard_error', 'accuracy', 'chance', 'accuracy_per_byte', 'items'] as const;

/** Lines of cells; quoted where that is needed. */
export const csv = (rows: Cell[][]): string =>
  rows.map((row) => `${row.map((cell) => quote(String(cell ?? ''))).join(',')}\n`).join('');

const quote = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

export function toCsv(run: RunRecord): string {
  const keys = [...METRIC, ...SCORE];
  const rows: Cell[][] = [['series', ...keys]];
  for (const [series, columns] of [
    ['train', run.train],
    ['validation', run.validation],
  ] as const) {
    const data = keys.map((key) =>
      (columns.keys as readonly string[]).includes(key) ? columns.column(key as 'loss') : null,
    );
    for (let row = 0; row < columns.length; row++) {
      rows.push([series, ...data.map((column) => column?.[row] ?? null)]);
    }
  }
  for (const scores of run.scores) {
    for (const score of [{ ...scores, task: '' }, ...scores.tasks]) {
      const values: Record<string, unknown> = { ...score };
      for (const key of PLACE) values[key] = scores[key];
      const series = score.task ? `downstream:${score.task}` : 'downstream';
      rows.push([series, ...keys.map((key) => cellOf(values[key]))]);
      // By how far back lies what decides, in tokens.
      for (const { last, ...near } of 'by_distance' in score ? (score.by_distance ?? []) : []) {
        const of = { ...values, accuracy_per_byte: null, ...near } as Record<string, unknown>;
        rows.push([`${series}:${last}`, ...keys.map((key) => cellOf(of[key]))]);
      }
    }
  }
  const { unigram_loss, unigram_bits_per_byte } = run.plan;
  const level = keys.map((key) =>
    key === 'loss' ? unigram_loss : key === 'bits_per_byte' ? unigram_bits_per_byte : null,
  );
  rows.push(['unigram', ...level]);
  return csv(rows);
}

const cellOf = (value: unknown): Cell => (typeof value === 'number' ? value : null);

export function saveCsv(): void {
  if (record.value) save(csvFile(toCsv(record.value)), 'trainlab.csv');
}

export const csvFile = (table: string): Blob => new Blob([table], { type: 'text/csv' });
