// The page's end of the lab that trains the run in view: starts it, sends commands, hands its events on.

import type { Config } from './config/schema';
import { chooseWorkers, workers } from './device/workers';
import type { Problem, Question, Verdict } from './lab';
import { type Brought, LabWorker } from './lab-worker';
import type { Command, Event } from './protocol';
import { asked, live, phase, trouble } from './state';

/** How long a Stop may go unheard before the worker is replaced. */
const PATIENCE_MS = 10_000;

let lab: LabWorker | null = null;
/** Runs out where a Stop stays unheard. */
let patience: ReturnType<typeof setTimeout> | undefined;
const listeners: ((event: Event) => void)[] = [];
/** By the visitor, to this page: a sweep's labs are given it too. */
export const brought: Brought = { text: null, tokenizer: null, tasks: null };

export function launch(): void {
  lab?.end();
  clearTimeout(patience);
  phase.value = 'waking';
  lab = new LabWorker('lab', receive);
  openDevice();
  lab.give(brought);
}

function receive(event: Event): void {
  if (event.type === 'tokenizer-file') brought.tokenizer = { source: event.source, name: event.facts.name };
  if (event.type === 'own-text' && event.source)
    brought.text = { source: event.source, name: event.facts.name };
  for (const listener of listeners) listener(event);
  if (!live.value) clearTimeout(patience);
}

export function listen(listener: (event: Event) => void): void {
  listeners.push(listener);
}

export function send(command: Command): void {
  lab?.send(command);
}

export function openDevice(choice = asked.value): void {
  asked.value = choice;
  void lab?.open(choice, workers.value);
}

/** Runs that begin from now on have so many workers, on the CPU. */
export function share(count: number): void {
  chooseWorkers(count);
  send({ type: 'workers', count });
}

export function useOwnText(source: Blob | string, name: string): void {
  brought.text = { source, name };
  send({ type: 'own-text', source, name });
}

export function useTokenizer(source: Blob, name: string): void {
  send({ type: 'tokenizer-file', source, name });
}

/** Where the lab breaks down nothing is found wrong: its end is told by itself. */
export async function check(config: Config): Promise<Problem[]> {
  const answer = lab?.ask<'checked'>({ type: 'check', config });
  return (await answer?.catch(() => null))?.problems ?? [];
}

/** The visitor's own downstream tasks; they replace those before once they are known to be good. */
export function useTasks(source: Blob, name: string): void {
  brought.tasks = { source, name };
  send({ type: 'own-tasks', source, name });
}

/** Do groups of runs differ? Rejects with the reason where that cannot be said. */
export async function compare(question: Question): Promise<Verdict> {
  const answer = await lab?.ask<'compared'>({ type: 'compare', question });
  if (!answer?.verdict) throw new Error(answer?.message ?? 'The lab is not there.');
  return answer.verdict;
}

/** Returns the id by which the answer is known. */
export const askPlan = (config: Config): number => lab?.put({ type: 'plan', config }) ?? 0;

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
