// The runs that this browser knows: a list for all of the page, kept in step with the database and with other tabs.

import { signal } from '@preact/signals';
import { discardWeights } from '../checkpoint/store';
import { attempt, database, trouble } from './database';
import type { Experiment } from './experiment';
import { NO_FINDINGS } from './findings';
import { own } from './owners';
import { chunkCount, chunksOf, lastRow, rowsOf, SERIES, type Tables, tableOf } from './points';
import { sweepsChannel } from './sweeps';
import type { Findings, RunHead, Series, StoredRun } from './types';

/** All of them, the newest first. */
export const storedRuns = signal<RunHead[]>([]);
/** They have been read, or cannot be. */
export const listed = signal(false);

/** Runs of this tab that may not all be in the database, by id: whoever writes them has them. */
export const openRuns = new Map<string, { readonly tables: Tables; readonly findings: Findings }>();

const changedSweeps = sweepsChannel();
const channel = new BroadcastChannel('trainlab.runs');
channel.onmessage = ({ data }: MessageEvent<string[]>) => void refresh(data);

/** Reads the list. Later changes, in this tab or another, come by themselves. */
export async function list(): Promise<void> {
  await attempt(async (db) => {
    show(...(await db.getAll('runs')).filter(({ id }) => !openRuns.has(id)));
  });
  listed.value = true;
}

async function refresh(runs: string[]): Promise<void> {
  await attempt(async (db) => {
    for (const id of runs) {
      const [head, here] = [await db.get('runs', id), openRuns.has(id) && headOf(id)];
      if (head) show(here ? { ...here, name: head.name, weights: head.weights } : head);
      else if (!here) hide([id]);
    }
  });
}

/** Into the list, or in place of what it said before. */
export function show(...heads: RunHead[]): void {
  const ids = new Set(heads.map(({ id }) => id));
  const others = storedRuns.value.filter(({ id }) => !ids.has(id));
  storedRuns.value = [...others, ...heads].sort((one, other) => other.created - one.created);
}

const hide = (ids: string[]): void => {
  storedRuns.value = storedRuns.value.filter(({ id }) => !ids.includes(id));
};

export const headOf = (id: string): RunHead | undefined => storedRuns.value.find((head) => head.id === id);

/** The words themselves where no other run has them, else with a number behind. */
export function unique(words: string, taken: Iterable<string>): string {
  const names = new Set(taken);
  let name = words;
  for (let count = 2; names.has(name); count++) name = `${words} (${count})`;
  return name;
}

/**
 * Writes a run whole or, with `from`, the rows of each series from there on; in one go or not at all. No findings are those
 * that are there. Names and weights are others' to change. Answers with the head as it stands now, its name unique. Throws
 * where it cannot be written.
 */
export async function write(
  head: RunHead,
  tables: Tables,
  findings: Findings | null,
  from: Record<Series, number> = { train: 0, validation: 0 },
): Promise<RunHead> {
  const db = await database();
  const transaction = db.transaction(['runs', 'points', 'findings'], 'readwrite');
  const [runs, points] = [transaction.objectStore('runs'), transaction.objectStore('points')];
  let stored = head;
  const work = async () => {
    const before = await runs.get(head.id);
    const { name, weights } = before ?? head;
    // Where the database was cleared, all of it is written anew.
    const start = before ? from : { train: 0, validation: 0 };
    stored = { ...head, weights, name: before ? name : unique(name, await namesIn(runs.index('name'))) };
    const writes: Promise<unknown>[] = [runs.put(stored)];
    if (findings) writes.push(transaction.objectStore('findings').put({ run: head.id, ...findings }));
    for (const series of SERIES) {
      const table = tables[series];
      writes.push(...chunksOf(head.id, series, table, start[series]).map((chunk) => points.put(chunk)));
      const rest = chunkCount(rowsOf(table));
      writes.push(points.delete(IDBKeyRange.bound([head.id, series, rest], [head.id, series, Infinity])));
    }
    await Promise.all(writes);
  };
  await Promise.all([work(), transaction.done]);
  trouble.value = null;
  channel.postMessage([head.id]);
  return stored;
}

type Names = { openKeyCursor(): Promise<{ key: string; continue(): Promise<unknown> } | null> };

async function namesIn(index: Names): Promise<string[]> {
  const names: string[] = [];
  for (let cursor = await index.openKeyCursor(); cursor; cursor = (await cursor.continue()) as typeof cursor)
    names.push(cursor.key);
  return names;
}

/** Of a whole run. */
export function headOfRun(run: StoredRun, weights: RunHead['weights'] = null): RunHead {
  const { train, validation, findings: _, ...rest } = run;
  const rows = { train: rowsOf(train), validation: rowsOf(validation) };
  return { ...rest, rows, last: lastRow(train), held: lastRow(validation), weights };
}

/** Writes a run, new or known, whole. */
export async function saveRun(run: StoredRun): Promise<void> {
  show(await write(headOfRun(run), run, run.findings));
}

/** Whole, in that order; those that are gone are left out. */
export async function loadRuns(ids: string[]): Promise<StoredRun[]> {
  const runs = await Promise.all(ids.map(loadRun));
  return runs.filter((run) => run !== null);
}

export async function loadRun(id: string): Promise<StoredRun | null> {
  const here = openRuns.get(id);
  const head = headOf(id);
  if (here && head) return { ...bare(head), ...here.tables, findings: here.findings };
  const db = await database();
  const transaction = db.transaction(['runs', 'points', 'findings']);
  // All as they were at one moment.
  const [stored, chunks, found] = await Promise.all([
    transaction.objectStore('runs').get(id),
    transaction.objectStore('points').getAll(IDBKeyRange.bound([id, ''], [id, '\uffff'])),
    transaction.objectStore('findings').get(id),
  ]);
  if (!stored) return null;
  const { run: _, ...findings } = found ?? { run: id, ...NO_FINDINGS };
  const table = <S extends Series>(series: S) =>
    tableOf(
      series,
      chunks.filter((chunk) => chunk.series === series),
      stored.rows[series],
    );
  return { ...bare(stored), train: table('train'), validation: table('validation'), findings };
}

function bare(head: RunHead): Omit<StoredRun, Series | 'findings'> {
  const { rows: _, last: __, held: ___, weights: ____, ...rest } = head;
  return rest;
}

/**
 * Takes runs and sweeps from a file, all or none of them; what is here already stays as it is. Answers how many runs were
 * added.
 */
export async function importRuns({ runs, sweeps }: Experiment): Promise<number> {
  const db = await database();
  const transaction = db.transaction(['runs', 'points', 'findings', 'sweeps'], 'readwrite');
  const store = transaction.objectStore('runs');
  const added: RunHead[] = [];
  const work = async () => {
    const names = await namesIn(store.index('name'));
    const writes: Promise<unknown>[] = [];
    for (const run of runs) {
      if ((await store.count(run.id)) > 0) continue;
      const head = { ...headOfRun(run), name: unique(run.name, names) };
      names.push(head.name);
      added.push(head);
      writes.push(store.put(head));
      writes.push(transaction.objectStore('findings').put({ run: run.id, ...run.findings }));
      for (const chunk of SERIES.flatMap((series) => chunksOf(run.id, series, run[series], 0)))
        writes.push(transaction.objectStore('points').put(chunk));
    }
    const others = transaction.objectStore('sweeps');
    for (const sweep of sweeps) if ((await others.count(sweep.id)) === 0) writes.push(others.put(sweep));
    await Promise.all(writes);
  };
  await Promise.all([work(), transaction.done]);
  show(...added);
  for (const { id } of sweeps) changedSweeps.postMessage(id);
  channel.postMessage(added.map(({ id }) => id));
  return added.length;
}

/** What is to be said of a run, given what is said now. */
type Changes = (head: RunHead) => Partial<RunHead>;

/** Changes what is said of a run, in the list and in the database. */
export async function updateRun(id: string, changes: Partial<RunHead> | Changes): Promise<void> {
  const changed = (head: RunHead): RunHead => ({
    ...head,
    ...(typeof changes === 'function' ? changes(head) : changes),
  });
  await attempt(async (db) => {
    const transaction = db.transaction('runs', 'readwrite');
    const head = await transaction.store.get(id);
    await Promise.all([head && transaction.store.put(changed(head)), transaction.done]);
    if (head && !openRuns.has(id)) show(changed(head));
  });
  const head = headOf(id);
  if (head) show(changed(head));
  channel.postMessage([id]);
}

/** A name that another run has gets a number behind it. */
export function renameRun(id: string, name: string): Promise<void> {
  const others = storedRuns.value.filter((head) => head.id !== id);
  return updateRun(id, {
    name: unique(
      name,
      others.map((head) => head.name),
    ),
  });
}

/** With all that is known of it, and its weights. False where it is open in another tab. */
export async function deleteRun(id: string): Promise<boolean> {
  const release = await own(id);
  if (!release) return false;
  try {
    const db = await database();
    const transaction = db.transaction(['runs', 'points', 'findings'], 'readwrite');
    await Promise.all([
      transaction.objectStore('runs').delete(id),
      transaction.objectStore('findings').delete(id),
      transaction.objectStore('points').delete(IDBKeyRange.bound([id, ''], [id, '\uffff'])),
      transaction.done,
    ]);
    // A browser without files has none of them.
    await discardWeights(id).catch(() => {});
    hide([id]);
    channel.postMessage([id]);
  } finally {
    release();
  }
  return true;
}
