// What of an earlier visit can be gone on with: found when the lab is ready, offered once.

import { effect } from '@preact/signals';
import { runsWithWeights } from '../checkpoint/store';
import { send } from '../client';
import { getKnown } from '../config/values';
import type { Event } from '../protocol';
import { live, offer, present } from '../state';
import { whenFree } from './owners';
import { headOf, list, openRuns, storedRuns, updateRun } from './runs';
import type { RunHead } from './types';

/** Runs that were found to be open nowhere. */
const free = new Set<string>();

export function followOffer(event: Event): void {
  if (event.type === 'ready') void arrive();
  if (event.type === 'found-kept') void found(event);
}

/** Weights that no list tells of: of a run that is in none, or of one whose tab was closed before it could write them down. */
async function found({ run, kept }: Event & { type: 'found-kept' }): Promise<void> {
  if (headOf(run)) {
    const { step, bytes, at } = kept;
    await updateRun(run, { weights: { step, bytes, at } });
    consider();
  } else if (!offer.value) offer.value = { run, name: null, ...kept };
}

async function arrive(): Promise<void> {
  await list();
  await missMissing();
  for (const { id, state } of storedRuns.value)
    if ((state === 'running' || state === 'paused') && !openRuns.has(id))
      void whenFree(id, async () => {
        // The tab is gone; a run that had ended says so itself.
        await updateRun(id, (head) => (head.state === 'running' ? { state: 'interrupted' } : {}));
        free.add(id);
        consider();
      }).catch(() => {});
  consider();
  const known = storedRuns.value.filter(({ weights }) => weights);
  send({ type: 'find-kept', known: known.map(({ id }) => id) });
}

/** Files may have been cleared, or thrown away by hand. */
async function missMissing(): Promise<void> {
  const here = await runsWithWeights().catch(() => null);
  if (!here) return;
  for (const { id, weights } of storedRuns.value)
    if (weights && !here.includes(id)) await updateRun(id, { weights: null });
}

/** The newest run that stands still, unless one has begun since. */
function consider(): void {
  if (live.value || present.value !== null || offer.value) return;
  const found = storedRuns.value.find(
    (head) =>
      head.weights &&
      !head.sweep &&
      (head.state === 'interrupted' || (head.state === 'paused' && free.has(head.id))),
  );
  if (found?.weights)
    offer.value = { run: found.id, name: found.name, steps: stepsOf(found), ...found.weights };
}

const stepsOf = ({ config }: RunHead): number => Number(getKnown(config, 'training.steps'));

// It ends with the run, wherever that is deleted or gone on with.
effect(() => {
  const { value } = offer;
  if (!value || value.name === null) return;
  const head = storedRuns.value.find(({ id }) => id === value.run);
  if (!head || (head.state !== 'interrupted' && head.state !== 'paused')) offer.value = null;
});
