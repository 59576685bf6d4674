// A lab in a worker, as the page holds it: started, sent commands, asked questions, ended. The page has one for the run
// that is looked at; a sweep has others.

import { outlive, uniqueName } from './alive';
import { keepTilings, keptTilings } from './device/tilings';
import type { DeviceChoice } from './lab';
import type { Command, Event } from './protocol';

/** A command that is answered by an event of the same id. */
export type Question = Extract<Command, { id: number }>;
export type Answer = Extract<Event, { id: number }>;
type Asked<Q> = Q extends unknown ? Omit<Q, 'id'> : never;

/** What the visitor brought: a lab that is started anew has to be given it again. */
export type Brought = {
  text: { source: Blob | string; name: string } | null;
  tokenizer: { source: Blob; name: string } | null;
  /** Downstream tasks. */
  tasks: { source: Blob; name: string } | null;
};

const WITHOUT_A_WORD = 'The browser ended the lab’s worker, maybe for want of memory.';

let serial = 0;

export class LabWorker {
  private readonly worker: Worker;
  private readonly hear: (event: Event) => void;
  private readonly asked = new Map<number, { resolve(answer: Answer): void; reject(why: Error): void }>();

  private readonly watch = new AbortController();
  private opening: { resolve(): void; reject(why: Error): void } | null = null;

  constructor(kind: string, hear: (event: Event) => void) {
    this.hear = hear;
    const name = uniqueName(kind);
    this.worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name });
    this.worker.addEventListener('message', ({ data }: MessageEvent<Event>) => this.receive(data));
    this.worker.addEventListener('error', (event) => {
      this.receive({ type: 'crashed', message: event.message || 'The lab could not be started.' });
    });
    // Its first word comes when it has its lock.
    const outlived = () => this.receive({ type: 'crashed', message: WITHOUT_A_WORD });
    const watch = () => outlive(name, this.watch.signal, outlived);
    this.worker.addEventListener('message', watch, { once: true });
  }

  /** Commands wait in the worker until the core is there. */
  send(command: Command): void {
    this.worker.postMessage(command);
  }

  /** Rejects where the device cannot be opened. Whoever does not wait for it hears the events. */
  open(device: DeviceChoice, workers: number): Promise<void> {
    const opened = new Promise<void>((resolve, reject) => {
      this.opening = { resolve, reject };
    });
    opened.catch(() => {});
    this.send({ type: 'open', device, workers, base: document.baseURI, tilings: keptTilings() });
    return opened;
  }

  give({ text, tokenizer, tasks }: Brought): void {
    if (text) this.send({ type: 'own-text', ...text });
    if (tokenizer) this.send({ type: 'tokenizer-file', ...tokenizer });
    if (tasks) this.send({ type: 'own-tasks', ...tasks });
  }

  /** Returns the id by which the answer is known. */
  put(question: Asked<Question>): number {
    serial += 1;
    this.send({ ...question, id: serial } as Question);
    return serial;
  }

  /** Rejects where the lab ends first. */
  ask<T extends Answer['type']>(question: Asked<Question>): Promise<Extract<Answer, { type: T }>> {
    const id = this.put(question);
    return new Promise((resolve, reject) =>
      this.asked.set(id, { resolve: (answer) => resolve(answer as Extract<Answer, { type: T }>), reject }),
    );
  }

  end(): void {
    this.watch.abort();
    this.worker.terminate();
    this.drop('The lab was ended.');
  }

  private receive(event: Event): void {
    if ('id' in event) {
      this.asked.get(event.id)?.resolve(event);
      this.asked.delete(event.id);
    }
    keepTilings(event);
    if (event.type === 'device') this.opening?.resolve();
    if (event.type === 'device-refused') this.opening?.reject(new Error(event.message));
    if (event.type === 'crashed') {
      this.opening?.reject(new Error(event.message));
      this.watch.abort();
      this.drop(event.message);
    }
    this.hear(event);
  }

  private drop(why: string): void {
    const asked = [...this.asked.values()];
    this.asked.clear();
    for (const { reject } of asked) reject(new Error(why));
  }
}
