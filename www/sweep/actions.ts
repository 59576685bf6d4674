// What the visitor does with whole sweeps.

import { csv, csvFile } from '../charts/csv';
import { dashed, save } from '../charts/save';
import { brought } from '../client';
import type { Config, Value } from '../config/schema';
import { getKnown } from '../config/values';
import { explain } from '../errors';
import type { Brought } from '../lab-worker';
import { newId } from '../store/id';
import { deleteRun, headOf, unique } from '../store/runs';
import type { StoredRun } from '../store/types';
import { isOwn } from '../text/texts';
import { isFromFile } from '../tokenizer/kinds';
import { budgetOf, repeated } from './definition';
import { able, costOf, draft, open, read, settled } from './draft';
import { withCost } from './queue';
import { RESULTS, rowsOf } from './results';
import { put, remove, sweeps } from './store';
import type { Definition, Listed, Member, Sweep } from './types';
import { fromYaml, toYaml } from './yaml';

/** Keeps the sweep that is being made; answers with its id, or null where it cannot be run yet. */
export async function keep(): Promise<string | null> {
  const said = await settled();
  const { value: made } = draft;
  if (!made || !said || !able.value) return null;
  const id = newId();
  const { device, workers } = made;
  const definition = said.definition ?? made.definition;
  const names = sweeps.value.map((sweep) => sweep.name);
  const name = unique(definition.name?.trim() || 'Sweep', names);
  put({
    id,
    name,
    created: Date.now(),
    definition: { ...definition, name },
    device,
    workers,
    state: 'ready',
    message: null,
    brought: neededOf(said.runs),
    members: said.runs.map((run) => member(id, run, definition)),
  });
  draft.value = null;
  return id;
}

function member(sweep: string, { id, ...listed }: Listed, definition: Definition): Member {
  const cost = costOf(listed.config, definition);
  const budgeted = cost && budgetOf(definition) ? withCost(listed.config, cost) : { cost };
  return { ...listed, ...budgeted, run: `${sweep}-${id}`, state: 'waiting', message: null, broken: 0 };
}

/** Of what the visitor brought, what these runs need: it would be gone with the page. */
function neededOf(runs: Listed[]): Brought {
  const any = (needs: (config: Config) => boolean) => runs.some(({ config }) => needs(config));
  return {
    text: any(isOwn) ? brought.text : null,
    tokenizer: any(isFromFile) ? brought.tokenizer : null,
    tasks: any((config) => asked(config).includes('own')) ? brought.tasks : null,
  };
}

const asked = (config: Config): Value[] => [getKnown(config, 'downstream.tasks')].flat();

/** As a new one, to be changed and kept. */
export const duplicate = ({ definition }: Sweep): void => open(definition);

/** The same, to be changed and kept: more runs of some of its, with other seeds. */
export const repeat = ({ definition }: Sweep, runs: StoredRun[], count: number): void =>
  open(
    repeated(
      definition,
      runs.map(({ config }) => config),
      count,
    ),
  );

/** With all its runs, their points and weights. */
export async function erase({ id, members }: Sweep): Promise<void> {
  remove(id);
  for (const { run } of members) if (headOf(run)) await deleteRun(run);
}

/** A file to begin from; answers with what is wrong with it, or null. */
export async function take(file: File): Promise<string | null> {
  try {
    const given = await fromYaml(await file.text());
    const { definition, problems } = await read(given);
    if (!definition) return problems.map(({ field, advice }) => `${field}: ${advice}`.trim()).join(' ');
    open(definition);
    return null;
  } catch (error) {
    return explain(error).message;
  }
}

export async function saveYaml(definition: Definition): Promise<void> {
  const text = await toYaml(definition);
  save(new Blob([text], { type: 'application/yaml' }), `${fileName(definition.name)}.yaml`);
}

export function saveCsv(sweep: Sweep): void {
  const rows = rowsOf(sweep);
  const paths = [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];
  const table = rows.map(({ name, state, values, results }) => [
    name,
    state,
    ...paths.map((path) => String(values[path] ?? '')),
    ...RESULTS.map((key) => results[key]),
  ]);
  save(csvFile(csv([['name', 'state', ...paths, ...RESULTS], ...table])), `${fileName(sweep.name)}.csv`);
}

export function saveJson(sweep: Sweep): void {
  const { name, created, device, definition } = sweep;
  const content = { name, created: new Date(created).toISOString(), device, definition, runs: rowsOf(sweep) };
  const blob = new Blob([JSON.stringify(content, null, 2)], { type: 'application/json' });
  save(blob, `${fileName(name)}.json`);
}

const fileName = (name = ''): string => `trainlab-${dashed(name).replace(/^-|-$/g, '') || 'sweep'}`;
