// All points of a run as one tidy table: a row a point, `series` says which kind.

import type { RunRecord } from '../record';
import { METRIC } from '../record';
import { record } from '../state';
import { save } from './save';

export function toCsv(run: RunRecord): string {
  const rows = [['series', ...METRIC].join(',')];
  for (const [series, columns] of [
    ['train', run.train],
    ['validation', run.validation],
  ] as const) {
    const data = METRIC.map((key) =>
      (columns.keys as readonly string[]).includes(key) ? columns.column(key as 'loss') : null,
    );
    for (let row = 0; row < columns.length; row++) {
      rows.push([series, ...data.map((column) => column?.[row] ?? '')].join(','));
    }
  }
  const { unigram_loss, unigram_bits_per_byte } = run.plan;
  const level = METRIC.map((key) =>
    key === 'loss' ? unigram_loss : key === 'bits_per_byte' ? unigram_bits_per_byte : '',
  );
  rows.push(['unigram', ...level].join(','));
  return `${rows.join('\n')}\n`;
}

export function saveCsv(): void {
  if (record.value) save(new Blob([toCsv(record.value)], { type: 'text/csv' }), 'trainlab.csv');
}
