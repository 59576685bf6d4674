// The sweeps that this browser keeps: a list for all of the page, in step with the database and with other tabs.

import { signal } from '@preact/signals';
import { attempt, type Database } from '../store/database';
import { sweepsChannel } from '../store/sweeps';
import type { Member, Sweep } from './types';

/** The newest first. */
export const sweeps = signal<Sweep[]>([]);
/** The one that this tab works on: no other tab changes it. */
export const working = signal<string | null>(null);
/** They have been read, or cannot be. */
export const listed = signal(false);

/** Runs side by side. */
export const MOST_WORKERS = 4;

const channel = sweepsChannel();
channel.onmessage = ({ data }: MessageEvent<string>) => void refresh(data);

/** Writes go one after the other, so that the last one stays. */
let writing: Promise<void> = Promise.resolve();

export async function list(): Promise<void> {
  await attempt(async (db) => {
    for (const sweep of await db.getAll('sweeps')) show(sweep as Sweep);
  });
  listed.value = true;
}

async function refresh(id: string): Promise<void> {
  if (id === working.value) return;
  await attempt(async (db) => {
    const sweep = await db.get('sweeps', id);
    if (sweep) show(sweep as Sweep);
    else hide(id);
  });
}

export const sweepOf = (id: string): Sweep | undefined => sweeps.value.find((sweep) => sweep.id === id);

/** Into the list and the database, or in place of what they had. */
export function put(sweep: Sweep): void {
  show(sweep);
  write(async (db) => {
    await db.put('sweeps', sweep);
    channel.postMessage(sweep.id);
  });
}

export function change(id: string, changes: Partial<Sweep>): void {
  const sweep = sweepOf(id);
  if (sweep) put({ ...sweep, ...changes });
}

export function changeMember(id: string, run: string, changes: Partial<Member>): void {
  const members = sweepOf(id)?.members.map((member) =>
    member.run === run ? { ...member, ...changes } : member,
  );
  if (members) change(id, { members });
}

/** Its runs stay, or go by themselves. */
export function remove(id: string): void {
  hide(id);
  write(async (db) => {
    await db.delete('sweeps', id);
    channel.postMessage(id);
  });
}

/** Once all that was changed is in the database, where it can be. */
export const written = (): Promise<void> => writing;

function show(sweep: Sweep): void {
  const others = sweeps.value.filter(({ id }) => id !== sweep.id);
  sweeps.value = [...others, sound(sweep)].sort((one, other) => other.created - one.created);
}

/** A sweep that came in an experiment's file lacks what the visitor who made it had brought, and may ask for too much. */
function sound(sweep: Sweep): Sweep {
  const { text, tokenizer, tasks } = sweep.brought;
  const isText = typeof text?.source === 'string' || text?.source instanceof Blob;
  const file = <File extends { source: Blob }>(given: File | null) =>
    given?.source instanceof Blob ? given : null;
  return {
    ...sweep,
    workers: Math.min(Math.max(Math.round(sweep.workers), 1), MOST_WORKERS),
    brought: { text: isText ? text : null, tokenizer: file(tokenizer), tasks: file(tasks) },
  };
}

function hide(id: string): void {
  sweeps.value = sweeps.value.filter((sweep) => sweep.id !== id);
}

function write(work: (db: Database) => Promise<void>): void {
  writing = writing.then(() => attempt(work));
}
