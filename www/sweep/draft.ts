// The sweep that is being made: what the visitor changes, and what the core says of it a moment after each change.

import { computed, effect, signal } from '@preact/signals';
import { brought } from '../client';
import { get } from '../config/values';
import type { DeviceKind } from '../lab';
import { LabWorker } from '../lab-worker';
import { config, device as present, sections, usual } from '../state';
import { budgetOf, SEED, withBase, withSeeds } from './definition';
import { cost, groupOf } from './queue';
import { MOST_WORKERS } from './store';
import type { Cost, Definition, Reading } from './types';

export type Draft = { definition: Definition; device: DeviceKind; workers: number };

/** Null: none is being made. */
export const draft = signal<Draft | null>(null);
/** Its runs; null while it is read. */
export const reading = signal<Reading | null>(null);
/** What its runs take, or why that is not known, as it becomes known: by what decides it. */
export const costs = signal<ReadonlyMap<string, Cost | string>>(new Map());
/** Why nothing can be said of it. */
export const readingTrouble = signal<string | null>(null);

/** Long enough to type a number in. */
const PAUSE_MS = 300;
const SEEDS = 3;
/** The most runs of a sweep in the page: the list is written anew with each that begins or ends. */
export const MOST_RUNS = 1000;

/** Runs go side by side on the processor's cores; one core is left to the page. */
export const cores = (): number => navigator.hardwareConcurrency || 1;
export const usualWorkers = (device: DeviceKind): number =>
  device === 'gpu' ? 1 : Math.max(Math.min(MOST_WORKERS, cores() - 1), 1);
export const mostWorkers = (device: DeviceKind): number =>
  device === 'gpu' ? 1 : Math.min(MOST_WORKERS, cores());

/** Over the settings as they are. */
export function begin(): void {
  const empty: Definition = { name: '', method: 'grid', parameters: {} };
  const over = withBase(empty, config.value, usual.value, sections.value);
  open(withSeeds(over, SEEDS, Number(get(config.value, SEED))));
}

export function open(definition: Definition): void {
  const device = present.value?.kind ?? 'cpu';
  draft.value = { definition, device, workers: usualWorkers(device) };
}

export function edit(changes: Partial<Draft>): void {
  if (draft.value) draft.value = { ...draft.value, ...changes };
}

export const define = (change: (definition: Definition) => Definition): void => {
  if (draft.value) edit({ definition: change(draft.value.definition) });
};

/** A lab that only answers questions. */
let scout: { lab: LabWorker; device: DeviceKind; opened: Promise<void> } | null = null;

function ask(device: DeviceKind): { lab: LabWorker; opened: Promise<void> } {
  if (scout?.device !== device) {
    dismiss();
    const lab = new LabWorker('scout', (event) => {
      if (event.type === 'crashed') dismiss();
    });
    scout = { lab, device, opened: lab.open(device, 1) };
    lab.give(brought);
  }
  return scout;
}

export function dismiss(): void {
  scout?.lab.end();
  scout = null;
}

/** What is meant by a definition from anywhere. */
export async function read(definition: unknown): Promise<Reading> {
  const { lab } = ask(scout?.device ?? 'cpu');
  return (await lab.ask<'swept'>({ type: 'sweep', definition })).reading;
}

let timer: ReturnType<typeof setTimeout> | undefined;
let asking = 0;
/** The draft that `reading` is about. */
let readFor: Draft | null = null;

/** It can be begun, for all that is known. */
export const able = computed(() => {
  const { value: said } = reading;
  return said !== null && said.problems.length === 0 && said.runs.length > 0 && said.runs.length <= MOST_RUNS;
});

/** What is said of the draft as it is now; null where nothing can be. */
export async function settled(): Promise<Reading | null> {
  const { value } = draft;
  if (value && readFor !== value) await understand(value).catch(() => {});
  return readFor === draft.value ? reading.value : null;
}

async function understand(made: Draft): Promise<void> {
  const { lab } = ask(made.device);
  const { reading: said } = await lab.ask<'swept'>({ type: 'sweep', definition: made.definition });
  if (draft.value !== made) return;
  reading.value = said;
  readFor = made;
}

effect(() => {
  const { value } = draft;
  clearTimeout(timer);
  asking += 1;
  readingTrouble.value = null;
  if (!value) {
    reading.value = null;
    dismiss();
    return;
  }
  const mine = asking;
  timer = setTimeout(() => {
    review(value, () => mine !== asking).catch((error: Error) => {
      if (mine === asking) readingTrouble.value = error.message;
    });
  }, PAUSE_MS);
});

async function review(made: Draft, outdated: () => boolean): Promise<void> {
  await understand(made);
  const { value: said } = reading;
  if (outdated() || !said) return;
  const { definition, device } = made;
  const { lab, opened } = ask(device);
  const budget = budgetOf(definition);
  // Time is tried out, which takes some: only once the sweep is begun.
  if (budget?.kind === 'seconds' || said.problems.length > 0) return;
  await opened;
  for (const { config } of said.runs) {
    const key = costKey(config, definition);
    if (costs.value.has(key) && typeof costs.value.get(key) !== 'string') continue;
    const told = await cost(lab, config, budget);
    if (outdated()) return;
    costs.value = new Map(costs.value).set(key, told);
  }
}

/** Of what `costs` knows about the runs of a definition. */
export function costKey(config: Parameters<typeof groupOf>[0], definition: Definition): string {
  const budget = budgetOf(definition);
  return groupOf(config, budget) + JSON.stringify(budget);
}

export function costOf(config: Parameters<typeof groupOf>[0], definition: Definition): Cost | null {
  const known = costs.value.get(costKey(config, definition));
  return known && typeof known !== 'string' ? known : null;
}
