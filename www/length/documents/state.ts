// What the section about documents knows: asked for while it is shown, and again whenever a plan is new.

import { signal } from '@preact/signals';
import { send } from '../../client';
import type { Config } from '../../config/schema';
import type { Lengths, Usage } from '../../lab';
import type { Event } from '../../protocol';
import { config, plan } from '../../state';

export type Measured = { config: Config; lengths: Lengths };

/** The lengths of the present text, for the present settings. */
export const measured = signal<Measured | null>(null);
/** What the present run has read. */
export const used = signal<{ usage: Usage; step: number } | null>(null);

/** Between two looks at a run that is training. */
const LOOK_MS = 1000;

let shown = false;
let asking = 0;
let looked = Number.NEGATIVE_INFINITY;

/** Nothing is measured that nobody sees. */
export function show(now: boolean): void {
  shown = now;
  ask();
  look();
}

function ask(): void {
  if (!shown || !plan.value) return;
  asking += 1;
  send({ type: 'documents', id: asking, config: config.value });
}

function look(): void {
  if (!shown) return;
  looked = performance.now();
  send({ type: 'usage' });
}

export function followLengths(event: Event): void {
  switch (event.type) {
    case 'planned':
      ask();
      break;
    case 'documents':
      if (event.id === asking) measured.value = { config: event.config, lengths: event.lengths };
      break;
    case 'usage':
      used.value = event.usage && { usage: event.usage, step: event.step };
      break;
    case 'ready':
    case 'lost':
    case 'crashed':
      used.value = null;
      break;
    case 'started':
    case 'paused':
    case 'stopped':
    case 'finished':
      look();
      break;
    case 'metrics':
      if (performance.now() - looked > LOOK_MS) look();
      break;
  }
}
