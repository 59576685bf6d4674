// The page's end of the worker: starts it, sends commands, hands its events on.

import type { Config } from './config/schema';
import { keptTilings } from './device/tilings';
import type { Problem } from './lab';
import type { Command, Event } from './protocol';
import { asked, live, phase, trouble } from './state';

/** How long a Stop may go unheard before the worker is replaced. */
const PATIENCE_MS = 10_000;

let worker: Worker | null = null;
/** Runs out where a Stop stays unheard. */
let patience: ReturnType<typeof setTimeout> | undefined;
let serial = 0;
const listeners: ((event: Event) => void)[] = [];
const checks = new Map<number, (problems: Problem[]) => void>();
/** Kept so that a new worker can be given it again. */
let own: { source: Blob | string; name: string } | null = null;
let tokenizer: { source: Blob; name: string } | null = null;

export function launch(): void {
  worker?.terminate();
  clearTimeout(patience);
  phase.value = 'waking';
  worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'lab' });
  worker.addEventListener('message', ({ data }: MessageEvent<Event>) => receive(data));
  worker.addEventListener('error', (event) => {
    receive({ type: 'crashed', message: event.message || 'The lab could not be started.' });
  });
  // Commands wait in the worker until the core is there.
  openDevice();
  if (own) send({ type: 'own-text', ...own });
  if (tokenizer) send({ type: 'tokenizer-file', ...tokenizer });
  send({ type: 'find-kept' });
}

function receive(event: Event): void {
  if (event.type === 'checked') {
    checks.get(event.id)?.(event.problems);
    checks.delete(event.id);
  }
  if (event.type === 'tokenizer-file') tokenizer = { source: event.source, name: event.facts.name };
  if (event.type === 'own-text' && event.source) own = { source: event.source, name: event.facts.name };
  for (const listener of listeners) listener(event);
  if (!live.value) clearTimeout(patience);
}

export function listen(listener: (event: Event) => void): void {
  listeners.push(listener);
}

export function send(command: Command): void {
  worker?.postMessage(command);
}

export function openDevice(choice = asked.value): void {
  asked.value = choice;
  send({ type: 'open', device: choice, base: document.baseURI, tilings: keptTilings() });
}

export function useOwnText(source: Blob | string, name: string): void {
  own = { source, name };
  send({ type: 'own-text', source, name });
}

export function useTokenizer(source: Blob, name: string): void {
  send({ type: 'tokenizer-file', source, name });
}

export function check(config: Config): Promise<Problem[]> {
  serial += 1;
  const id = serial;
  send({ type: 'check', id, config });
  return new Promise((resolve) => checks.set(id, resolve));
}

/** Returns the id by which the answer is known. */
export function askPlan(config: Config): number {
  serial += 1;
  send({ type: 'plan', id: serial, config });
  return serial;
}

/** A worker that does not hear (a step may take minutes on a slow device) is replaced. */
export function stop(): void {
  send({ type: 'stop' });
  clearTimeout(patience);
  patience = setTimeout(() => {
    launch();
    trouble.value =
      'The lab did not hear Stop within ten seconds, so it was started anew. The weights are gone.';
  }, PATIENCE_MS);
}
