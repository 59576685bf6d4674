// A run in the worker: taken forward a turn at a time, reported as events.

import type { Config } from './config/schema';
import { getKnown } from './config/values';
import { explain, isLoss, isPanic, isUnderWay } from './errors';
import type { Pumped, Run } from './lab';
import type { Event } from './protocol';
import { nap } from './turns';

/** Long enough to be worth the turn, short enough that a command never feels late. */
const PUMP_MS = 12;
/** How long to leave the GPU alone when there is nothing to do but wait for it. */
const WAIT_MS = 3;
/** Metrics of steps that were already under way arrive within this time after a pause. */
const SETTLE_MS = 1000;

export class LiveRun {
  /** `ended`: no more steps, but the weights are there to be sampled. */
  state: 'running' | 'paused' | 'ended' = 'paused';
  private readonly run: Run;
  readonly config: Config;
  private readonly post: (event: Event) => void;
  /** Single steps that were asked for and not yet begun. */
  private owed = 0;
  private settled = 0;
  /** The last step whose metrics have arrived. */
  step: number;

  constructor(run: Run, config: Config, step: number, post: (event: Event) => void) {
    this.run = run;
    this.step = step;
    this.config = config;
    this.post = post;
  }

  get busy(): boolean {
    return (
      this.state === 'running' ||
      (this.state === 'paused' && (this.owed > 0 || performance.now() < this.settled))
    );
  }

  resume(): void {
    this.state = 'running';
    this.post({ type: 'running' });
  }

  pause(): void {
    this.halt('paused');
  }

  /** One more step, then pause again. */
  single(): void {
    this.owed += 1;
    this.halt('paused');
  }

  stop(): void {
    this.owed = 0;
    this.halt('ended');
  }

  private halt(state: 'paused' | 'ended'): void {
    // A pause is no training time.
    this.run.pause();
    this.state = state;
    this.settled = performance.now() + SETTLE_MS;
    this.post({ type: state === 'paused' ? 'paused' : 'stopped' });
  }

  free(): void {
    this.run.free();
  }

  /** One turn of the loop. False when the run is over for good. */
  async turn(): Promise<boolean> {
    try {
      const pumped = this.advance();
      return await this.digest(pumped);
    } catch (error) {
      if (isPanic(error)) throw error;
      this.post({ type: isLoss(error) ? 'lost' : 'failed', message: explain(error).message });
      return false;
    }
  }

  async sample(prompt: string, temperature: number): Promise<void> {
    this.post({ type: 'sample', sample: await this.run.sample(prompt, temperature) });
    if (this.state !== 'running') this.run.pause();
  }

  /** The run as a file. Steps under way are waited for; a run that is running goes on in the next turn. */
  async checkpoint(): Promise<Uint8Array> {
    for (;;) {
      const pumped = this.run.collect();
      this.tell(pumped);
      if (pumped.state === 'lost' || pumped.state === 'failed') throw new Error(pumped.message);
      this.run.pause();
      try {
        return await this.run.checkpoint();
      } catch (error) {
        if (!isUnderWay(error)) throw error;
      }
      await nap(WAIT_MS);
    }
  }

  private advance(): Pumped {
    if (this.state === 'running') return this.run.pump(PUMP_MS);
    if (this.owed === 0) return this.run.collect();
    const pumped = this.run.step();
    // While something is due, or the queue is full, no step is begun.
    if (pumped.state !== 'waiting') this.owed -= 1;
    this.settled = performance.now() + SETTLE_MS;
    return pumped;
  }

  private tell({ step, metrics }: Pumped): void {
    this.step = step;
    if (metrics.length > 0) this.post({ type: 'metrics', metrics });
  }

  private async digest(pumped: Pumped): Promise<boolean> {
    this.tell(pumped);
    if (pumped.state === 'lost') {
      this.post({ type: 'lost', message: pumped.message ?? 'The device is gone.' });
      return false;
    }
    if (pumped.state === 'failed') {
      const message = await this.run.explain().catch(() => pumped.message ?? 'The run failed.');
      this.post({ type: 'failed', message });
      return false;
    }
    if (pumped.evaluation_due) this.post({ type: 'evaluation', evaluation: await this.run.evaluate() });
    if (pumped.sample_due) {
      const prompt = String(getKnown(this.config, 'evaluation.prompt') ?? '');
      await this.sample(prompt, Number(getKnown(this.config, 'evaluation.temperature') ?? 1));
    }
    if (pumped.state === 'finished') {
      this.state = 'ended';
      this.post({ type: 'finished' });
    } else if (pumped.state === 'waiting' && !pumped.evaluation_due && !pumped.sample_due) {
      await nap(WAIT_MS);
    }
    return true;
  }
}
