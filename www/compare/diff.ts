// In which options groups differ, side by side.

import type { StoredRun } from '../store/types';
import { DEVICE, differing, type Group, valueIn } from './groups';
import { type Fields, nameOf, valueWords } from './names';

export type Difference = {
  path: string;
  name: string;
  /** A cell a group: its values, each once. */
  cells: string[];
};

export function differences(groups: Group[], fields: Fields): Difference[] {
  const paths = differing(
    groups.flatMap(({ runs }) => runs),
    fields,
  );
  return paths.map((path) => ({
    path,
    name: path === DEVICE ? 'Device' : nameOf(fields, path),
    cells: groups.map(({ runs }) => values(runs, path, fields)),
  }));
}

const values = (runs: StoredRun[], path: string, fields: Fields): string =>
  [...new Set(runs.map((run) => valueWords(fields.get(path), valueIn(run, path, fields))))].join(', ');
