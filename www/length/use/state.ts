// What the page knows of a model's use of its context, and what the visitor can do about it.

import { computed, signal } from '@preact/signals';
import { send } from '../../client';
import { getKnown, setKnown } from '../../config/values';
import type { Event } from '../../protocol';
import { live, loading, phase, present, readiness, record, sampling, trouble } from '../../state';
import { newId } from '../../store/id';
import type { Attention, Found, Induction, LengthLoss, Question, What } from './types';

type Of<T> = { run: string; step: number; value: T };

export const lengths = signal<Of<LengthLoss[]> | null>(null);
export const induction = signal<Of<Induction> | null>(null);
export const attention = signal<Of<Attention & { prompt: string }> | null>(null);

/** What is being found out, and how far that is. */
export const asking = signal<{ what: What; share: number } | null>(null);
/** Why the last question came to nothing. */
export const unanswered = signal<{ what: What; message: string } | null>(null);

/** Why nothing can be asked now. */
export const obstacle = computed((): string | null => {
  if (phase.value === 'waking' || phase.value === 'crashed') return 'The lab is not ready.';
  if (phase.value === 'starting' || loading.value) return 'A run is being made ready.';
  if (phase.value === 'running') return 'A run is training: pause it, or wait until it is done.';
  if (!present.value || !['paused', 'stopped', 'finished'].includes(phase.value))
    return 'There is no model yet: train one in the Train view, or go on with one of the Runs view and pause it.';
  if (sampling.value) return 'A text is being written.';
  return null;
});

export const canAsk = computed(() => obstacle.value === null && asking.value === null);

export function ask(question: Question): void {
  if (!canAsk.value) return;
  asking.value = { what: question.what, share: 0 };
  unanswered.value = null;
  send({ type: 'look-at-use', question });
}

export function end(): void {
  if (asking.value) send({ type: 'end-use' });
}

export function followUse(event: Event): void {
  switch (event.type) {
    case 'use-progress':
      asking.value = { what: event.what, share: event.share };
      break;
    case 'use-found':
      asking.value = null;
      take(event.run, event.step, event.found);
      break;
    case 'use-ended':
      asking.value = null;
      unanswered.value = {
        what: event.what,
        message: event.message ?? 'It was ended before it was done.',
      };
      break;
    case 'ready':
    case 'crashed':
    case 'lost':
      asking.value = null;
      break;
  }
}

function take(run: string, step: number, found: Found): void {
  switch (found.what) {
    case 'lengths':
      lengths.value = { run, step, value: found.lengths };
      break;
    case 'induction':
      induction.value = { run, step, value: found.induction };
      break;
    case 'attention':
      attention.value = { run, step, value: { ...found.attention, prompt: found.prompt } };
      break;
  }
}

/** Whether what was found is not of the present run as it stands. */
export const outdated = ({ run, step }: { run: string; step: number }): boolean =>
  run !== present.value || step !== record.value?.step;

/** Whether the present run can be gone on with at a longer context. */
export const canExtend = computed(
  () =>
    ['stopped', 'finished'].includes(phase.value) && !live.value && !loading.value && asking.value === null,
);

export type Extension = { factor: number; steps: number; interpolate: boolean };

/** Begins a run with the parameters of the present one, at a context that is so many times as long. */
export function extend({ factor, steps, interpolate }: Extension): void {
  const from = record.value?.config;
  if (!canExtend.value || !from) return;
  let config = setKnown(from, 'model.context', Number(getKnown(from, 'model.context')) * factor);
  if (interpolate) {
    const before = Number(getKnown(from, 'model.rope_interpolation'));
    config = setKnown(config, 'model.rope_interpolation', before * factor);
  }
  config = setKnown(config, 'schedule.context_start', 0);
  config = setKnown(config, 'schedule.warmup_steps', Math.min(Math.floor(steps / 10), 20));
  config = setKnown(config, 'training.steps', steps);
  phase.value = 'starting';
  readiness.value = 0;
  trouble.value = null;
  send({ type: 'extend', run: newId(), config });
}
