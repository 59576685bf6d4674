// What the panel shows: asked for while it is open, and again whenever a plan is new.

import { send } from '../client';
import type { Event } from '../protocol';
import { config, plan, split } from '../state';

/** Long enough to type a word in. */
const PAUSE_MS = 150;

/** Whether the panel is open: nothing is split that nobody sees. */
let open = false;
/** What the visitor typed to be split; null for the text's beginning. */
let sample: string | null = null;
let splitting = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

export function openPanel(now: boolean): void {
  open = now;
  splitNow();
}

export function splitThis(text: string): void {
  sample = text === '' ? null : text;
  clearTimeout(timer);
  timer = setTimeout(splitNow, PAUSE_MS);
}

function splitNow(): void {
  clearTimeout(timer);
  if (!open || !plan.value) return;
  splitting += 1;
  send({ type: 'split', id: splitting, config: config.value, sample });
}

export function followSplit(event: Event): void {
  if (event.type === 'planned') splitNow();
  if (event.type === 'split' && event.id === splitting) split.value = event.split;
}
