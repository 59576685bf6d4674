// The browser's database: opened once, brought up to its present form, and what is said where that fails.
//
// A tab with an older form of the page must not stand in the way of a newer one: it closes its connection, and what it
// then cannot write stays in its memory.

import { signal } from '@preact/signals';
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import { explain } from '../errors';
import type { Chunk, RunFindings, RunHead, Series, StoredSweep } from './types';

export interface Schema extends DBSchema {
  runs: { key: string; value: RunHead; indexes: { name: string; sweep: string } };
  points: { key: [run: string, series: Series, index: number]; value: Chunk };
  findings: { key: string; value: RunFindings };
  sweeps: { key: string; value: StoredSweep };
}

export type Database = IDBPDatabase<Schema>;

const NAME = 'trainlab';
/** Raised with every change of form; `upgrade` takes each earlier one to it. */
const VERSION = 2;

/** Why the database cannot be read or written. Cleared once it can be again. */
export const trouble = signal<string | null>(null);

let opening: Promise<Database> | null = null;

/** Throws where the browser has no database, or none for this page. A later call tries again. */
export function database(): Promise<Database> {
  opening ??= open().catch((error) => {
    opening = null;
    throw error;
  });
  return opening;
}

function open(): Promise<Database> {
  if (!globalThis.indexedDB) throw new Error('This browser gives the page no database.');
  return openDB<Schema>(NAME, VERSION, {
    upgrade(db, from) {
      if (from < 1) {
        const runs = db.createObjectStore('runs', { keyPath: 'id' });
        runs.createIndex('name', 'name');
        runs.createIndex('sweep', 'sweep');
        db.createObjectStore('points', { keyPath: ['run', 'series', 'index'] });
        db.createObjectStore('sweeps', { keyPath: 'id' });
      }
      if (from < 2) db.createObjectStore('findings', { keyPath: 'run' });
    },
    blocked: () => {
      trouble.value = 'Another tab has an older trainlab open. Close it, and all that waits is written.';
    },
    blocking: (_now, _then, event) => {
      (event.target as IDBDatabase).close();
      opening = null;
    },
    terminated: () => {
      opening = null;
    },
  });
}

export const isFull = (error: unknown): boolean =>
  (error as { name?: string } | null)?.name === 'QuotaExceededError';

/** In words that say what to do. */
export function inWords(error: unknown): string {
  const { name } = error as { name?: string };
  if (isFull(error))
    return 'The browser gives this page no more room. Delete runs or their weights under Runs.';
  if (name === 'VersionError')
    return 'A newer trainlab is open in another tab. Reload this page once its run is done.';
  return explain(error).message || 'The browser’s database does not answer.';
}

/** What fails is told, not thrown: a list lives on in memory. */
export async function attempt(work: (db: Database) => Promise<void>): Promise<void> {
  try {
    await work(await database());
  } catch (error) {
    trouble.value = inWords(error);
  }
}
