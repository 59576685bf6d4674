// Workers that share the batches of a run on the CPU device. Lives in the lab's worker.

import { outlive, uniqueName } from '../alive';
import { explain } from '../errors';
import type { Alive, Ended, Played, Request } from './messages';

const WITHOUT_A_WORD = 'The browser ended it, maybe for want of memory.';

let serial = 0;

export class Pool {
  readonly count: number;
  private readonly workers: Worker[] = [];
  private readonly teams = new Map<number, Team>();
  private readonly watch = new AbortController();
  /** Why it cannot be used any more. */
  lost: string | null = null;

  constructor(count: number) {
    this.count = count;
  }

  /** For a run. A worker is started when one first has something for it. */
  team(): Team {
    serial += 1;
    const team = new Team(this, serial);
    this.teams.set(serial, team);
    return team;
  }

  send(worker: number, request: Request, transfer: Transferable[] = []): void {
    if (this.lost !== null) return;
    try {
      this.workers[worker] ??= this.start(worker);
      this.workers[worker].postMessage(request, transfer);
    } catch (error) {
      // The core, which asked, could not be left that way.
      this.end(explain(error).message);
    }
  }

  release(team: number): void {
    this.teams.delete(team);
    for (const worker of this.workers) worker?.postMessage({ team, type: 'release' } satisfies Request);
  }

  /**
   * All of them: where one is lost the others are of no use, and their memory may be what was wanting. Runs that have a team
   * here go on alone.
   */
  end(why = 'It was ended.'): void {
    this.lost ??= why;
    this.watch.abort();
    for (const worker of this.workers) worker?.terminate();
    for (const team of this.teams.values()) team.wake();
  }

  private start(index: number): Worker {
    const name = uniqueName('replica');
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name });
    worker.addEventListener('message', ({ data }: MessageEvent<Played | Ended | Alive>) => {
      if ('alive' in data) outlive(name, this.watch.signal, () => this.end(WITHOUT_A_WORD));
      else if ('ended' in data) this.end(data.ended);
      else this.teams.get(data.team)?.receive({ worker: index, numbers: data.numbers });
    });
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      this.end(event.message || 'It could not be started.');
    });
    worker.addEventListener('messageerror', () => this.end('What it said could not be read.'));
    return worker;
  }
}

export type Answer = { worker: number; numbers: Float32Array<ArrayBuffer> };

/** The workers as one run has them; the core calls it (`crate/web/replicas.rs`). */
export class Team {
  private readonly pool: Pool;
  private readonly id: number;
  private readonly answers: Answer[] = [];
  private waiting: (() => void)[] = [];

  constructor(pool: Pool, id: number) {
    this.pool = pool;
    this.id = id;
  }

  get count(): number {
    return this.pool.count;
  }

  prepare(worker: number, config: string, vocabulary: number, first: number, sequences: number): void {
    this.pool.send(worker, { team: this.id, type: 'prepare', config, vocabulary, first, sequences });
  }

  send(worker: number, order: Uint32Array, parameters: Float32Array<ArrayBuffer>): void {
    this.pool.send(worker, { team: this.id, type: 'play', order, parameters }, [parameters.buffer]);
  }

  /** What has come, the oldest first. Throws where a worker is gone. */
  take(): Answer | undefined {
    if (this.pool.lost !== null) throw new Error(this.pool.lost);
    return this.answers.shift();
  }

  /** Resolves when there is something to take. */
  arrival(): Promise<void> {
    if (this.answers.length > 0 || this.pool.lost !== null) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  release(): void {
    this.pool.release(this.id);
  }

  receive(answer: Answer): void {
    this.answers.push(answer);
    this.wake();
  }

  wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}
