// A run in the worker: taken forward a turn at a time, reported as events.

import type { Config, Values } from './config/schema';
import { getKnown } from './config/values';
import { explain, Loss, passOn } from './errors';
import type { Pumped, Run } from './lab';
import type { Event } from './protocol';
import type { Team } from './replicas/pool';
import { nap } from './turns';

/** Long enough to be worth the turn, short enough that a command never feels late. */
const PUMP_MS = 12;
/** How long to leave the GPU alone when there is nothing to do but wait for it. */
const WAIT_MS = 3;
/** Metrics of steps that were already under way arrive within this time after a pause. */
const SETTLE_MS = 1000;
/** Questions of each task that the page shows. */
const EXAMPLES = 5;

/** Once stopped or finished it takes no more steps, but the weights are there to be sampled. */
type State = 'running' | 'paused' | 'stopped' | 'finished';

/** How prompts become tokens where the core has not the tokenizer itself. */
export type Prompts = {
  /** The config's. */
  usual: Uint32Array;
  encode(prompt: string): Promise<Uint32Array>;
};

export class LiveRun {
  state: State = 'paused';
  private readonly run: Run;
  readonly config: Config;
  private readonly post: (event: Event) => void;
  private readonly prompts: Prompts | null;
  /** The workers that share its batches. */
  private team: Team | undefined;
  /** Steps that are to be done though it does not run: single ones, and lost ones that are made up for. */
  private owed = 0;
  private settled = 0;
  /** Texts that were asked for and not yet begun: one is written at a time, and no step is taken meanwhile. */
  private readonly asked: Values[] = [];
  /** What the text that is being written was asked for with. */
  private writing: Values | null = null;
  /** The last step whose metrics have arrived. */
  step: number;
  /** The last step that was begun. */
  private started: number;
  /** It was lost with its device before, and brought back. */
  mended = false;

  constructor(
    run: Run,
    config: Config,
    step: number,
    prompts: Prompts | null,
    team: Team | undefined,
    post: (event: Event) => void,
  ) {
    this.team = run.workers() > 1 ? team : undefined;
    this.prompts = prompts;
    this.run = run;
    this.step = step;
    this.started = step;
    this.config = config;
    this.post = post;
  }

  get busy(): boolean {
    return (
      this.writing !== null ||
      this.asked.length > 0 ||
      this.state === 'running' ||
      this.owed > 0 ||
      this.started > this.step ||
      (this.state === 'paused' && performance.now() < this.settled)
    );
  }

  get ended(): boolean {
    return this.state === 'stopped' || this.state === 'finished';
  }

  /** How often it has read its text. */
  usage(): void {
    this.post({ type: 'usage', usage: this.run.usage(), step: this.started });
  }

  resume(): void {
    this.owed = 0;
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
    this.halt('stopped');
  }

  /** Takes the place of the same run that was lost: steps that it was ahead are done again. */
  replace(lost: LiveRun): void {
    this.mended = true;
    this.owed = lost.started - this.step + lost.owed;
    // What was on schedule comes again by itself.
    const cut = lost.writing && Object.keys(lost.writing).length > 0 ? [lost.writing] : [];
    this.asked.push(...cut, ...lost.asked);
    if (lost.state === 'running') this.resume();
    else this.halt(lost.state);
  }

  private halt(state: State): void {
    // A pause is no training time.
    this.run.pause();
    this.state = state;
    this.settled = performance.now() + SETTLE_MS;
    this.post({ type: state });
  }

  free(): void {
    if (this.writing) this.post({ type: 'pieces', pieces: [], done: true });
    this.run.free();
  }

  /** Takes a text's fields of the config's `evaluation`; a turn begins it, others write it. */
  ask(evaluation: Values): void {
    this.asked.push(evaluation);
  }

  /** One turn of the loop. False when the run is over for good; throws where its device is lost. */
  async turn(): Promise<boolean> {
    try {
      if (this.writing) return await this.write();
      const asked = this.asked.shift();
      return asked ? await this.begin(asked) : await this.digest(this.advance());
    } catch (error) {
      passOn(error);
      this.post({ type: 'failed', message: explain(error).message, diverged: false });
      return false;
    }
  }

  private async begin(evaluation: Values): Promise<boolean> {
    try {
      // A step that workers share may be half done.
      if (this.team) await this.settle();
      const sample = this.run.begin_sample(evaluation, await this.promptOf(evaluation));
      this.post({ type: 'sample', sample: { ...sample, pieces: [] } });
      this.writing = evaluation;
    } catch (error) {
      passOn(error);
      this.post({ type: 'sample-refused', message: explain(error).message });
    }
    return true;
  }

  private async promptOf({ prompt }: Values): Promise<Uint32Array | undefined> {
    if (!this.prompts) return undefined;
    const { usual, encode } = this.prompts;
    return prompt === undefined || prompt === getKnown(this.config, 'evaluation.prompt')
      ? usual
      : encode(String(prompt));
  }

  /** A few tokens a turn, so that commands are heard in between. */
  private async write(): Promise<boolean> {
    const { pieces, done } = await this.run.write(PUMP_MS);
    if (done) this.writing = null;
    this.post({ type: 'pieces', pieces, done });
    return true;
  }

  /** The run as a file. Where it is running it goes on in the next turn. */
  async checkpoint(): Promise<Uint8Array<ArrayBuffer>> {
    await this.settle();
    return (await this.run.checkpoint()) as Uint8Array<ArrayBuffer>;
  }

  /** Waits for the steps under way; then its clock stands, and the device is free until the next step. */
  async settle(): Promise<void> {
    for (;;) {
      const pumped = this.run.collect();
      this.tell(pumped);
      if (pumped.state === 'failed') throw new Error(pumped.message);
      this.run.pause();
      if (pumped.settled) return;
      await this.wait();
    }
  }

  private advance(): Pumped {
    if (this.state === 'running') return this.run.pump(PUMP_MS);
    if (this.owed === 0) return this.run.collect();
    const pumped = this.run.step();
    // While something is due, or the queue is full, no step is begun.
    if (pumped.state !== 'waiting' && pumped.state !== 'lost') this.owed -= 1;
    this.settled = performance.now() + SETTLE_MS;
    return pumped;
  }

  private tell({ state, step, started, metrics, message }: Pumped): void {
    this.step = step;
    this.started = started;
    if (metrics.length > 0) this.post({ type: 'metrics', metrics });
    const lost = this.team && this.run.workers_lost();
    if (lost !== undefined) {
      this.team = undefined;
      this.post({ type: 'workers-lost', message: lost });
    }
    if (state === 'lost') throw new Loss(message);
  }

  private async digest(pumped: Pumped): Promise<boolean> {
    this.tell(pumped);
    if (pumped.state === 'failed') {
      const message = await this.run.explain().catch(() => pumped.message ?? 'The run failed.');
      this.post({ type: 'failed', message, diverged: pumped.diverged });
      return false;
    }
    if (pumped.evaluation_due) {
      const { by_position: positions, ...evaluation } = await this.run.evaluate();
      this.post({ type: 'evaluation', evaluation, positions });
    }
    if (pumped.scores_due) {
      // A part in each turn, so that commands are heard in between; no step is taken before all is asked.
      const scores = await this.run.score(PUMP_MS);
      if (scores) this.post({ type: 'scores', scores });
      if (scores) this.post({ type: 'examples', examples: this.run.examples(EXAMPLES) });
      return true;
    }
    if (pumped.sample_due) {
      // The turns after this one write it; only then is the run finished.
      return this.begin({});
    }
    if (pumped.state === 'finished') {
      this.owed = 0;
      if (this.state === 'finished') return true;
      this.state = 'finished';
      this.post({ type: 'finished' });
    } else if (pumped.state === 'waiting' && !pumped.evaluation_due) {
      await this.wait();
    }
    return true;
  }

  /** For what is under way, a moment at most. */
  private async wait(): Promise<void> {
    await Promise.race([nap(WAIT_MS), ...(this.team ? [this.team.arrival()] : [])]);
  }
}
