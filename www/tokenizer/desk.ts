// A worker that owns the tokenizers' package, started when something is first asked of it. It answers one request after
// the other, and can be ended in the middle of one. Lives in the lab's worker.

import type { Answer, Progress, Request, Work, Works } from './messages';

/** A request that was ended before it was answered. */
export class Ended extends Error {}

type Waiting = {
  resolve: (given: Works[Work]['given']) => void;
  reject: (error: unknown) => void;
  progress: Progress;
};

export class Desk {
  private worker: Worker | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private serial = 0;

  /** Rejects with an Error that may have `problems`. */
  ask<W extends Work>(
    work: W,
    asked: Works[W]['asked'],
    progress: Progress = () => {},
  ): Promise<Works[W]['given']> {
    this.worker ??= this.start();
    this.serial += 1;
    const request: Request<W> = { id: this.serial, work, asked };
    // A file is copied: whoever asks may need it again.
    this.worker.postMessage(request);
    return new Promise((resolve, reject) => {
      this.waiting.set(request.id, { resolve, reject, progress });
    });
  }

  /** Whatever was asked and not yet answered is rejected with `why`. */
  end(why: Error = new Ended('It was stopped.')): void {
    this.worker?.terminate();
    this.worker = null;
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of waiting) reject(why);
  }

  private start(): Worker {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'tokenizer' });
    worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => this.receive(data));
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      this.end(
        new Error(`The tokenizers could not be loaded. ${event.message ?? 'Is the connection there?'}`),
      );
    });
    return worker;
  }

  private receive(answer: Answer): void {
    const waiting = this.waiting.get(answer.id);
    if (!waiting) return;
    switch (answer.type) {
      case 'progress':
        waiting.progress(answer.stage, answer.share);
        break;
      case 'broken':
        this.end(new Error(answer.message));
        break;
      case 'given':
        this.waiting.delete(answer.id);
        waiting.resolve(answer.given);
        break;
      case 'refused':
        this.waiting.delete(answer.id);
        waiting.reject(Object.assign(new Error(answer.message), { problems: answer.problems }));
        break;
    }
  }
}
