// Saving a run as a file, loading one, and going on with the one that the browser keeps.

import { save as download } from '../charts/save';
import { send } from '../client';
import { explain } from '../errors';
import type { Event } from '../protocol';
import { RunRecord } from '../record';
import { can } from '../run/actions';
import { fileTrouble, live, loading, offer, past, readiness } from '../state';
import { newId } from '../store/id';
import { own } from '../store/owners';
import { headOf, loadRun, openRuns, updateRun } from '../store/runs';
import { discardWeights } from './store';

export const isRunFile = ({ name }: File): boolean => name.toLowerCase().endsWith('.safetensors');

export function save(): void {
  if (can.save.value) send({ type: 'save' });
}

export function load(file: File): void {
  if (!can.load.value) {
    const message = live.value
      ? 'A run is live, and it would be lost. Stop it first, then load the file.'
      : 'The lab is not ready for it yet. Try again in a moment.';
    fileTrouble.value = { title: `${file.name} was not loaded`, message };
    return;
  }
  begin('file');
  send({ type: 'load', run: newId(), source: file });
}

/** Trains on from the weights that are kept of a run, with the points that it had until then. */
export async function goOn(run: string): Promise<void> {
  if (!can.load.value) return;
  begin('kept');
  try {
    const release = openRuns.has(run) ? null : await own(run);
    if (!openRuns.has(run) && !release) throw new Error('It is open in another tab.');
    release?.();
    const stored = await loadRun(run);
    past.value = stored && { run, record: RunRecord.of(stored) };
    // One that left nothing but its weights begins a life of its own.
    send({ type: 'go-on', run: stored ? run : newId(), from: run });
  } catch (error) {
    loading.value = null;
    fileTrouble.value = { title: 'The run does not go on', message: explain(error).message };
  }
}

/** Leaves an offered run as it stands. Of one that is in no list, this throws away the weights. */
export async function leave(run: string): Promise<void> {
  if (headOf(run)) await updateRun(run, { state: 'stopped' });
  else await discardWeights(run).catch(() => {});
  // Gone from the page once it is written: a tab that is closed at once would be offered it again.
  if (offer.value?.run === run) offer.value = null;
}

function begin(what: 'file' | 'kept'): void {
  loading.value = what;
  readiness.value = 0;
  fileTrouble.value = null;
}

export function followFiles(event: Event): void {
  if (event.type !== 'saved') return;
  download(
    new Blob([event.file], { type: 'application/octet-stream' }),
    `trainlab-step-${event.step}.safetensors`,
  );
}

// A hidden tab may be closed without another word.
document.addEventListener('visibilitychange', () => document.hidden && send({ type: 'keep' }));
