// All that is shown of some runs with some settings: groups that are looked at, what they can be compared by.

import type { Section } from '../config/schema';
import type { StoredRun } from '../store/types';
import { type Group, groupBy, isResult, usualGrouping } from './groups';
import { likenessKey, type Unlike, unlike } from './likeness';
import { type Measure, measuresOf } from './measures';
import { type Fields, fieldsOf } from './names';
import type { Settings, Shown } from './settings';
import { type Census, census, summary } from './summary';

export type Entry = { group: Group; census: Census; hidden: boolean };

export type Scene = {
  fields: Fields;
  /** What the runs are grouped by. */
  by: string[];
  /** Groups with any run that is looked at. */
  entries: Entry[];
  /** Those that are not hidden. */
  shown: Entry[];
  measures: Measure[];
};

/** Of the settings, those that say what is looked at. */
export type Looked = Pick<Settings, 'by' | 'words' | 'state' | 'unfinished' | 'only' | 'hidden'>;

export function scene(runs: StoredRun[], settings: Looked, sections: Section[]): Scene {
  const fields = fieldsOf(sections);
  const by = settings.by ?? usualGrouping(runs, fields);
  // Looks and names are those among all runs: a filter changes neither.
  const entries = groupBy(runs, by, sections, fields)
    .map((group) => ({ ...group, runs: group.runs.filter((run) => isWanted(run, group, settings, fields)) }))
    .filter((group) => group.runs.length > 0)
    .map((group) => ({
      group,
      census: census(group, settings.unfinished, fields),
      hidden: settings.hidden.includes(group.key),
    }));
  const shown = entries.filter(({ hidden }) => !hidden);
  return { fields, by, entries, shown, measures: measuresOf(runs) };
}

function isWanted(run: StoredRun, { label }: Group, { words, state, only }: Looked, fields: Fields): boolean {
  if (!only.every(({ likeness, key }) => likenessKey(likeness, run, fields) === key)) return false;
  if (!STATES[state](run)) return false;
  const text = `${run.name} ${label} ${run.state} ${run.device.name}`.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

const STATES: Record<Shown, (run: StoredRun) => boolean> = {
  all: () => true,
  results: isResult,
  diverged: ({ state }) => state === 'diverged',
  unfinished: (run) => !isResult(run),
};

export const measureOf = ({ measures }: Scene, id: string | null): Measure | undefined =>
  measures.find((measure) => measure.id === id);

/** Among the runs that have a value: why groups cannot be compared by this. */
export const refusal = (entries: Entry[], measure: Measure, fields: Fields): Unlike | null =>
  unlike(measure.needs, valued(entries, measure), fields);

/** The same where they can, but with care. */
export const remark = (entries: Entry[], measure: Measure, fields: Fields): Unlike | null =>
  unlike(measure.minds, valued(entries, measure), fields);

const valued = (entries: Entry[], measure: Measure): StoredRun[] =>
  entries.flatMap(({ census }) => census.counted.filter((run) => measure.of(run) !== null));

/** Whether any of the groups has a value. */
export const hasValues = (entries: Entry[], measure: Measure): boolean =>
  entries.some(({ census }) => summary(census, measure) !== null);
