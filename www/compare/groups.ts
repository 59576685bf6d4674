// Runs that differ only by chance are one group: by default, all that are alike in everything but the seed.

import type { Config, Section, Value } from '../config/schema';
import { getKnown, type KnownPath, same } from '../config/values';
import type { StoredRun } from '../store/types';
import { choiceWords, deviceWords, effective, type Fields } from './names';

export type Group = {
  key: string;
  /** What sets it apart from the others. */
  label: string;
  /** Its place among all groups, which decides its colour and mark. */
  look: number;
  /** The earliest first. */
  runs: StoredRun[];
};

/** Options that change nothing of what is learned: chance, and how often and how a run is looked at. */
const NEUTRAL: string[] = [
  'training.seed',
  'evaluation.every',
  'evaluation.sample_every',
  'evaluation.prompt',
  'evaluation.sample_tokens',
  'evaluation.temperature',
  'evaluation.top_k',
  'evaluation.top_p',
  'evaluation.sample_seed',
] satisfies KnownPath[];
NEUTRAL.push('downstream.every');

/** Not an option, and yet something to group by. */
export const DEVICE = 'device';

/** What runs may be grouped by: the options in which they differ, and the device. */
export function differing(runs: StoredRun[], fields: Fields): string[] {
  const [first, ...others] = runs;
  if (!first) return [];
  const known = [...fields.keys()];
  // A run of another version may have options that this one does not know.
  const strange = runs.flatMap(({ config }) => pathsOf(config)).filter((path) => !fields.has(path));
  const options = [...known, ...new Set(strange)].filter((path) =>
    others.some((run) => !same(valueIn(run, path, fields), valueIn(first, path, fields))),
  );
  const devices = others.some((run) => valueIn(run, DEVICE, fields) !== valueIn(first, DEVICE, fields));
  return devices ? [...options, DEVICE] : options;
}

const pathsOf = (config: Config): string[] =>
  Object.entries(config).flatMap(([section, values]) =>
    Object.keys(values).map((name) => `${section}.${name}`),
  );

export const usualGrouping = (runs: StoredRun[], fields: Fields): string[] =>
  differing(runs, fields).filter((path) => !NEUTRAL.includes(path) && path !== DEVICE);

export function valueIn(run: StoredRun, path: string, fields: Fields): Value {
  if (path === DEVICE) return deviceWords(run);
  return effective(run.config, path, fields);
}

/** Groups by the values of these options, in the order in which their first runs were made. */
export function groupBy(runs: StoredRun[], by: string[], sections: Section[], fields: Fields): Group[] {
  const found = new Map<string, StoredRun[]>();
  for (const run of runs.toSorted((one, other) => one.created - other.created)) {
    const key = JSON.stringify(by.map((path) => [path, valueIn(run, path, fields)]));
    found.set(key, [...(found.get(key) ?? []), run]);
  }
  const labels = labelsOf([...found.values()], by, sections, fields);
  return [...found].map(([key, runs], look) => ({ key, label: labels[look] ?? '', look, runs }));
}

function labelsOf(groups: StoredRun[][], by: string[], sections: Section[], fields: Fields): string[] {
  if (by.length === 0) return groups.map(() => 'All runs');
  const firsts = groups.flatMap(([run]) => (run ? [run] : []));
  // What follows from a choice, as learning rates do from the optimizer, need not be said, nor how many steps an equal
  // budget came to.
  const chosen = by.filter((path) => !follows(path, firsts, sections, fields));
  const brief = chosen.filter((path) => path !== 'training.steps');
  const words = (paths: string[]) => firsts.map((run) => describe(run, paths, fields));
  return (
    [brief, chosen, by].map(words).find(allDifferent) ?? words(by).map((label, at) => `${label} (${at + 1})`)
  );
}

const describe = (run: StoredRun, paths: string[], fields: Fields): string =>
  paths
    .map((path) => [path, valueIn(run, path, fields)] as const)
    .filter(([, value]) => value !== null)
    .map(([path, value]) => (path === DEVICE ? String(value) : choiceWords(fields.get(path), path, value)))
    .join(' · ');

/** Its default depends on a choice, and among these each choice has but one value of it. */
function follows(path: string, runs: StoredRun[], sections: Section[], fields: Fields): boolean {
  const [section, name = ''] = path.split('.');
  const dependent = sections.find((one) => one.name === section)?.dependent;
  if (!dependent || !Object.values(dependent.values).some((values) => name in values)) return false;
  const values = new Map<string, string>();
  return runs.every((run) => {
    const choice = JSON.stringify(valueIn(run, dependent.path, fields));
    const value = JSON.stringify(valueIn(run, path, fields));
    const known = values.get(choice) ?? value;
    values.set(choice, known);
    return known === value;
  });
}

const allDifferent = (labels: string[]): boolean =>
  !labels.includes('') && new Set(labels).size === labels.length;

export const seedOf = (run: StoredRun): number | null => {
  const seed = getKnown(run.config, 'training.seed');
  return typeof seed === 'number' ? seed : null;
};

/** It trained for as long as it was to, or ended by diverging: a result. */
export const isResult = ({ state, train, config }: StoredRun): boolean =>
  state === 'finished' ||
  state === 'diverged' ||
  (train.step.at(-1) ?? -1) >= Number(getKnown(config, 'training.steps'));

/** A run that was made twice with one seed is one draw, not two: the later one counts. */
export function draws(runs: StoredRun[], fields: Fields): StoredRun[] {
  const paths = [...fields.keys()].filter((path) => path === 'training.seed' || !NEUTRAL.includes(path));
  const latest = new Map(
    runs.map((run) => [JSON.stringify(paths.map((path) => effective(run.config, path, fields))), run]),
  );
  return [...latest.values()];
}
