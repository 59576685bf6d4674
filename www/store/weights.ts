// Which weights stay: as many as the visitor allows, the newest first. Runs that may yet be gone on with go last.

import { effect, signal } from '@preact/signals';
import { discardWeights } from '../checkpoint/store';
import { send } from '../client';
import type { Event } from '../protocol';
import { notKept, present, kept as shown } from '../state';
import { own } from './owners';
import { openRuns, storedRuns, updateRun } from './runs';
import type { RunHead } from './types';

const KEY = 'trainlab.weights';
const MIB = 1024 ** 2;

/** In bytes; `Infinity` is as much as the browser gives. */
export const LIMITS = [256 * MIB, 1024 * MIB, 4096 * MIB, Number.POSITIVE_INFINITY];
export const limit = signal<number>(storedLimit());

/** What all of them take. */
export const weightsBytes = (): number => sum(storedRuns.value);

const sum = (heads: RunHead[]): number =>
  heads.reduce((bytes, { weights }) => bytes + (weights?.bytes ?? 0), 0);

export function followWeights(event: Event): void {
  if (event.type === 'kept') void kept(event);
  if (event.type === 'not-kept') void refused(event);
}

/** For whoever trains: the weights of a run are in its file. */
export async function kept({
  run,
  kept: { step, steps, bytes, at },
}: Event & { type: 'kept' }): Promise<void> {
  freed = 0;
  complained = false;
  notKept.value = null;
  await updateRun(run, { weights: { step, bytes, at } });
  // Said once the list has them: who closes the tab then is offered them.
  if (run === present.value) shown.value = { step, steps, bytes, at };
  await Promise.all([enforce(), askToPersist()]);
}

let complained = false;

/** Freed since a run was last kept: a browser that gives no room all the same is not believed for ever. */
let freed = 0;

async function refused({ message, full, bytes }: Event & { type: 'not-kept' }): Promise<void> {
  if (full && (await makeRoom(bytes))) return send({ type: 'keep' });
  // Once, until it is kept again.
  if (!complained) notKept.value = message;
  complained = true;
}

/** Where so many bytes found no room: the oldest weights go. False where there are none, or where that did not help. */
export async function makeRoom(bytes: number): Promise<boolean> {
  const oldest = freed < 2 * bytes ? candidates()[0] : undefined;
  if (!oldest?.weights) return false;
  freed += oldest.weights.bytes;
  return forgetWeights(oldest.id);
}

/** Those that can go, in the order in which they do. */
function candidates(): RunHead[] {
  const unfinished = ({ state }: RunHead) => state === 'interrupted' || state === 'paused';
  return storedRuns.value
    .filter(
      ({ id, weights, state }) => weights && state !== 'running' && id !== present.value && !openRuns.has(id),
    )
    .sort(
      (one, other) =>
        Number(unfinished(one)) - Number(unfinished(other)) ||
        (one.weights?.at ?? 0) - (other.weights?.at ?? 0),
    );
}

export async function enforce(): Promise<void> {
  for (const { id } of candidates()) {
    if (weightsBytes() <= limit.value) return;
    await forgetWeights(id);
  }
}

/** The run stays in the list, with its curves. False where it is open in another tab. */
export async function forgetWeights(run: string): Promise<boolean> {
  const release = await own(run);
  if (!release) return false;
  try {
    await discardWeights(run).catch(() => {});
    await updateRun(run, { weights: null });
  } finally {
    release();
  }
  return true;
}

/** The browser may clear what it was not asked to keep. It is asked once there is something to lose. */
export const persisted = signal<boolean | null>(null);

export async function askToPersist(again = false): Promise<void> {
  const { storage } = navigator;
  if (!storage || (persisted.value !== null && !again)) return;
  try {
    persisted.value = (await storage.persisted()) || (await storage.persist());
  } catch {
    persisted.value = false;
  }
}

function storedLimit(): number {
  try {
    const kept = Number(localStorage.getItem(KEY) ?? Number.NaN);
    return LIMITS.includes(kept) ? kept : 1024 * MIB;
  } catch {
    return 1024 * MIB;
  }
}

effect(() => {
  try {
    localStorage.setItem(KEY, String(limit.value));
  } catch {
    // Storage may be forbidden; then the choice lasts as long as the page.
  }
});
