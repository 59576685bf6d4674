// What the page knows about the cost of a longer context, and what the visitor can do.

import { computed, signal } from '@preact/signals';
import { send } from '../../client';
import type { Event } from '../../protocol';
import { loading, phase, sampling } from '../../state';
import type { Cell, Experiment, Measured, Published } from './types';

/** What is offered; null until the worker has said. */
export const offered = signal<Experiment | null>(null);
/** What of it is to be measured. */
export const lesson = signal<Experiment | null>(null);
export const published = signal<Published[]>([]);
export const measured = signal<Measured | null>(null);
/** While it is measured: the share that is done. */
export const measuring = signal<number | null>(null);
/** Cells that are known already. */
export const cells = signal<Cell[]>([]);
/** Why the last measurement came to nothing. */
export const noMeasure = signal<string | null>(null);

export function followCost(event: Event): void {
  // A worker that is new, or gone, measures nothing.
  if (event.type === 'ready' || event.type === 'crashed') measuring.value = null;
  if (event.type !== 'length-cost') return;
  const { told } = event;
  switch (told.what) {
    case 'lesson':
      offered.value = told.experiment;
      lesson.value ??= told.experiment;
      published.value = told.published;
      break;
    case 'progress':
      measuring.value = told.share;
      if (told.cell) cells.value = [...cells.value, told.cell];
      break;
    case 'measured':
      measured.value = told.measured;
      measuring.value = null;
      break;
    case 'ended':
      noMeasure.value = told.message ?? 'It was ended before all was measured.';
      measuring.value = null;
      break;
  }
}

/** Why nothing can be measured now. */
export const obstacle = computed((): string | null => {
  if (phase.value === 'waking' || phase.value === 'crashed' || !lesson.value) return 'The lab is not ready.';
  if (phase.value === 'starting' || loading.value) return 'A run is being made ready.';
  if (phase.value === 'running') return 'The run needs the device for itself: pause or stop it first.';
  if (sampling.value) return 'A text is being written.';
  return null;
});

export const canMeasure = computed(() => obstacle.value === null && measuring.value === null);

export function askLesson(): void {
  send({ type: 'length-cost', asked: { what: 'lesson' } });
}

export function measure(): void {
  if (!canMeasure.value || !lesson.value) return;
  measuring.value = 0;
  noMeasure.value = null;
  cells.value = [];
  send({ type: 'length-cost', asked: { what: 'measure', experiment: lesson.value } });
}

export function end(): void {
  if (measuring.value !== null) send({ type: 'length-cost', asked: { what: 'end' } });
}

/** Lengths and widths of which the visitor can leave some out; one of each at least stays. */
export function choose(axis: 'lengths' | 'widths', value: number, wanted: boolean): void {
  const now = lesson.value;
  if (!now) return;
  const others = now[axis].filter((other) => other !== value);
  const next = wanted ? [...others, value].sort((a, b) => a - b) : others;
  if (next.length > 0) lesson.value = { ...now, [axis]: next };
}
