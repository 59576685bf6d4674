// What was measured as a file: a row a cell.

import { csv, csvFile } from '../../charts/csv';
import { save } from '../../charts/save';
import { measured } from './state';
import type { Measured } from './types';

export function toCsv({ report, device, clock }: Measured): string {
  const parts = report.cells[0]?.parts.map(({ part }) => part) ?? [];
  const head = ['device', 'clock', 'width', 'context_tokens', 'tokens_per_step', 'steps_timed'];
  const figures = [
    'step_seconds',
    'fastest_seconds',
    'tokens_per_second',
    'change_of_doubling',
    'planned_bytes',
  ];
  const law = [
    'predicted_tokens_per_second',
    'law_attention_share',
    'crossover_causal',
    'crossover_measured',
  ];
  const ofParts = parts.flatMap((part) => [`${part}_seconds`, `${part}_share`, `${part}_flops_per_token`]);
  const rows = report.cells.map((cell) => {
    const { width, length } = cell;
    const doubling = report.doublings.find((of) => of.width === width && of.to === length);
    const prediction = report.predictions.find((of) => of.width === width && of.length === length);
    const crossover = report.crossovers.find((of) => of.width === width);
    return [
      device.name,
      clock,
      width,
      length,
      cell.tokens,
      cell.rounds,
      cell.step_seconds,
      cell.fastest_seconds,
      cell.tokens_per_second,
      doubling?.change ?? null,
      cell.bytes,
      prediction?.tokens_per_second ?? null,
      prediction?.law_share ?? null,
      crossover?.law.causal ?? null,
      crossover?.beside_products.length ?? null,
      ...cell.parts.flatMap(({ seconds, share, flops }) => [seconds, share, flops]),
    ];
  });
  return csv([[...head, ...figures, ...law, ...ofParts], ...rows]);
}

export function saveTable(): void {
  if (measured.value) save(csvFile(toCsv(measured.value)), 'trainlab-sequence-cost.csv');
}
