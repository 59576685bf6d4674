// A comparison as files: the table, and everything that is behind it.

import { csv } from '../charts/csv';
import { get } from '../config/values';
import type { StoredRun } from '../store/types';
import { DEVICE, valueIn } from './groups';
import { header, type Measure } from './measures';
import { nameOf, valueWords } from './names';
import { type Entry, refusal, type Scene } from './scene';
import { summary } from './summary';

/** A row a group: what sets it apart, its runs, and each measure's mean, interval and n. Refused columns say why. */
export function tableCsv(scene: Scene, rows: Entry[], columns: Measure[]): string {
  const { by, fields } = scene;
  const shown = rows.filter(({ hidden }) => !hidden);
  const heads = columns.flatMap((measure) => [
    header(measure),
    `${measure.label}: 95% interval from`,
    `${measure.label}: to`,
    `${measure.label}: runs`,
  ]);
  const refusals = columns.map((measure) => refusal(shown, measure, fields));
  const options = by.map((path) => (path === DEVICE ? 'Device' : nameOf(fields, path)));
  return csv([
    ['Group', ...options, 'Runs counted', 'Runs diverged', 'Runs not done', ...heads],
    ...shown.map(({ group, census }) => [
      group.label,
      ...by.map((path) => optionOf(group.runs, path, fields)),
      census.counted.length,
      census.diverged.length,
      census.unfinished.length,
      ...columns.flatMap((measure, index) => {
        const of = refusals[index] ? null : summary(census, measure);
        const why = refusals[index] ? `not compared: ${refusals[index].why}` : null;
        return [of?.mean ?? why, of?.low ?? null, of?.high ?? null, of?.n ?? null];
      }),
    ]),
  ]);
}

const optionOf = ([run]: StoredRun[], path: string, fields: Scene['fields']): string =>
  run ? valueWords(fields.get(path), valueIn(run, path, fields)) : '';

/** Groups with their runs: settings, plans, devices, every point and score, and each measure of each run. */
export function everything(scene: Scene): string {
  const { by, shown, measures, fields } = scene;
  return JSON.stringify(
    {
      format: 'trainlab comparison',
      version: 1,
      grouped_by: by,
      measures: measures.map(({ id, label, unit, goal }) => ({
        id,
        label,
        unit,
        goal,
        not_compared: refusalOf(shown, id, scene),
      })),
      groups: shown.map(({ group, census }) => ({
        label: group.label,
        options: Object.fromEntries(by.map((path) => [path, optionIn(group.runs, path, fields)])),
        counted: census.counted.map(({ id }) => id),
        diverged: census.diverged.map(({ id }) => id),
        not_done: census.unfinished.map(({ id }) => id),
        estimates: Object.fromEntries(measures.map((measure) => [measure.id, summary(census, measure)])),
        runs: group.runs.map((run) => ({
          ...run,
          train: columnsOf(run.train),
          validation: columnsOf(run.validation),
          measures: Object.fromEntries(measures.map((measure) => [measure.id, measure.of(run)])),
        })),
      })),
    },
    null,
    1,
  );
}

const refusalOf = (shown: Entry[], id: string, { measures, fields }: Scene): string | null => {
  const measure = measures.find((one) => one.id === id);
  return (measure && refusal(shown, measure, fields)?.why) ?? null;
};

const optionIn = ([run]: StoredRun[], path: string, fields: Scene['fields']) =>
  run ? (path === DEVICE ? valueIn(run, path, fields) : get(run.config, path)) : null;

/** JSON has no numbers that are not finite: they become null. */
const columnsOf = (table: Record<string, Float64Array>): Record<string, number[]> =>
  Object.fromEntries(Object.entries(table).map(([key, column]) => [key, [...column]]));
