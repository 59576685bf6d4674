// A lab that trains the runs of a sweep, one after the other.

import type { Config } from '../config/schema';
import { describe } from '../errors';
import type { DeviceKind } from '../lab';
import { type Brought, LabWorker } from '../lab-worker';
import type { Event } from '../protocol';

export type Job = {
  run: string;
  config: Config;
  /** From where it was last saved, where it was. */
  goOn: boolean;
};

/** `broken`: the lab or its device is gone; another may do better. */
export type Outcome = {
  state: 'finished' | 'diverged' | 'failed' | 'stopped' | 'paused' | 'broken';
  message: string | null;
};

type Wish = 'pause' | 'stop';

export class Hand {
  readonly lab: LabWorker;
  /** Rejects where its device cannot be opened. */
  readonly opened: Promise<void>;
  /** It broke down, and trains no more. */
  gone = false;
  private work: {
    job: Job;
    hear(event: Event): void;
    settle(outcome: Outcome): void;
    /** There is a run, and what is told of one is told of this. */
    started: boolean;
  } | null = null;
  /** How the present run, or the one that is about to be trained, is to end before its time. */
  private wish: Wish | null = null;

  constructor(device: DeviceKind, brought: Brought) {
    this.lab = new LabWorker('sweep', (event) => this.receive(event));
    // The runs of a sweep go side by side: each has one worker.
    this.opened = this.lab.open(device, 1);
    this.lab.give(brought);
  }

  /** `hear` is told what the run tells. */
  async train(job: Job, hear: (event: Event) => void): Promise<Outcome> {
    const { run, config, goOn } = job;
    // It may have broken down before there was a run to tell that of.
    if (this.gone) return { state: 'broken', message: 'The lab broke down before the run began.' };
    const outcome = this.wish
      ? given(this.wish)
      : await new Promise<Outcome>((settle) => {
          this.work = { job, hear, settle, started: false };
          this.lab.send(goOn ? { type: 'go-on', run, from: run } : { type: 'train', run, config });
        });
    // What a run ends with is saved before anything else is heard, and told.
    if (!this.gone) await this.lab.ask<'checked'>({ type: 'check', config }).catch(() => {});
    [this.work, this.wish] = [null, null];
    return outcome;
  }

  /** Ends in the outcome `paused`, saved. */
  pause(): void {
    this.ask('pause');
  }

  /** Ends in the outcome `stopped`, saved. */
  stop(): void {
    this.ask('stop');
  }

  /** Save now, and train on. */
  keep(): void {
    this.lab.send({ type: 'keep' });
  }

  end(): void {
    this.lab.end();
    this.work?.settle({ state: 'broken', message: 'The lab was ended.' });
  }

  private ask(wish: Wish): void {
    this.wish = wish;
    if (!this.work) return;
    // A run that waits for its text or tokenizer is not begun at all.
    this.lab.send({ type: 'stop-tokenizer' });
    if (this.work.started) this.lab.send({ type: wish });
  }

  private receive(event: Event): void {
    if (event.type === 'crashed') this.gone = true;
    const { work, wish } = this;
    if (!work) return;
    work.hear(event);
    switch (event.type) {
      case 'started':
        work.started = true;
        break;
      case 'running':
        if (wish) this.lab.send({ type: wish });
        break;
      case 'paused':
      case 'stopped':
      case 'finished':
        if (work.started) work.settle({ state: event.type, message: null });
        else if (wish) work.settle(given(wish));
        break;
      case 'failed':
        work.settle({ state: event.diverged ? 'diverged' : 'failed', message: event.message });
        break;
      case 'refused':
        if (wish) work.settle(given(wish));
        else work.settle({ state: 'failed', message: why(event) });
        break;
      case 'file-refused':
        if (event.wanted !== 'load') break;
        if (wish) work.settle(given(wish));
        // Nothing is saved of it: it begins anew.
        else this.lab.send({ type: 'train', run: work.job.run, config: work.job.config });
        break;
      case 'lost':
      case 'crashed':
        work.settle({ state: 'broken', message: event.message });
        break;
    }
  }
}

const given = (wish: Wish): Outcome => ({ state: wish === 'pause' ? 'paused' : 'stopped', message: null });

const why = ({ problems, message }: Event & { type: 'refused' }): string =>
  message ?? problems.map((problem) => `${problem.field}: ${describe(problem)}`).join(' ');
