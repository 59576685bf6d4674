// What the worker knows between two turns: the device, the text, the run. Commands in, events out.

import type { Config } from './config/schema';
import { get } from './config/values';
import { whyNoWebGpu } from './device/webgpu';
import { explain, isPanic } from './errors';
import type { DeviceChoice, Lab, Problem, Pumped, Run } from './lab';
import type { Command, Event } from './protocol';
import { Texts } from './text/texts';
import { nap } from './turns';

/** Long enough to be worth the turn, short enough that a command never feels late. */
const PUMP_MS = 12;
/** How long to leave the GPU alone when its queue is full. */
const FULL_QUEUE_MS = 3;

export type Core = {
  open(device: DeviceChoice): Promise<Lab>;
  check(config: Config): Problem[];
  corpusText(config: Config): string;
};

export class Session {
  private lab: Lab | null = null;
  private run: Run | null = null;
  /** The config of `run`. */
  private config: Config = {};
  /** `ended`: the run takes no more steps, but its weights are there to be sampled. */
  private state: 'none' | 'running' | 'paused' | 'ended' = 'none';
  private base = '';
  private readonly core: Core;
  private readonly post: (event: Event) => void;
  /** Puts a command back in line. */
  private readonly again: (command: Command) => void;
  private readonly texts: Texts;

  constructor(core: Core, post: (event: Event) => void, again: (command: Command) => void) {
    this.core = core;
    this.post = post;
    this.again = again;
    this.texts = new Texts(core.corpusText, (name, received, total) =>
      post({ type: 'text-progress', name, received, total }),
    );
  }

  get running(): boolean {
    return this.state === 'running';
  }

  async handle(command: Command): Promise<void> {
    switch (command.type) {
      case 'open':
        this.base = command.base;
        return this.open(command.device);
      case 'check':
        return this.post({ type: 'checked', id: command.id, problems: this.problems(command.config) });
      case 'plan':
        return this.plan(command);
      case 'own-text':
        return this.useOwnText(command.source, command.name);
      case 'train':
        if (await this.start(command.config)) this.enter('running');
        return;
      case 'step':
        if (this.state !== 'paused' && !(await this.start(command.config))) return;
        this.enter('paused');
        return this.digest(this.run?.step());
      case 'pause':
        return this.state === 'running' ? this.enter('paused') : undefined;
      case 'resume':
        return this.state === 'paused' ? this.enter('running') : undefined;
      case 'stop':
        if (this.state === 'none') return;
        this.state = 'ended';
        return this.post({ type: 'stopped' });
      case 'sample':
        return this.sample(command.prompt, command.temperature);
    }
  }

  /** One turn of training. */
  async pump(): Promise<void> {
    const pumped = this.run?.pump(PUMP_MS);
    await this.digest(pumped);
    if (pumped?.state === 'waiting') await nap(FULL_QUEUE_MS);
  }

  /** Ends the run with a message; a device that is gone is told apart, since then other ways lead on. */
  fail(message: string): void {
    const lost = this.run !== null && this.isLost();
    this.dropRun();
    this.post({ type: lost ? 'lost' : 'failed', message });
  }

  private isLost(): boolean {
    try {
      return this.run?.pump(0).state === 'lost';
    } catch {
      return false;
    }
  }

  private async digest(pumped: Pumped | undefined): Promise<void> {
    const run = this.run;
    if (!pumped || !run) return;
    if (pumped.metrics.length > 0) this.post({ type: 'metrics', metrics: pumped.metrics });
    if (pumped.state === 'lost' || pumped.state === 'failed') {
      this.dropRun();
      return this.post({ type: pumped.state, message: pumped.message ?? `The run has ${pumped.state}.` });
    }
    if (pumped.evaluation_due) this.post({ type: 'evaluation', evaluation: await run.evaluate() });
    if (pumped.sample_due) {
      const prompt = String(get(this.config, 'evaluation.prompt') ?? '');
      const temperature = Number(get(this.config, 'evaluation.temperature') ?? 1);
      this.post({ type: 'sample', sample: await run.sample(prompt, temperature) });
    }
    if (pumped.state === 'finished') {
      this.state = 'ended';
      this.post({ type: 'finished' });
    }
  }

  private enter(state: 'running' | 'paused'): void {
    this.state = state;
    this.post({ type: state });
  }

  private dropRun(): void {
    this.state = 'none';
    this.run?.free();
    this.run = null;
  }

  private async open(choice: DeviceChoice): Promise<void> {
    this.dropRun();
    try {
      const opened = await this.core.open(choice);
      this.lab?.free();
      this.lab = opened;
      const device = opened.device();
      // What is missing only matters where the GPU is not in use.
      const missing = device.kind === 'gpu' ? null : await whyNoWebGpu();
      this.post({ type: 'device', asked: choice, device, missing });
    } catch (error) {
      if (isPanic(error)) throw error;
      const missing = await whyNoWebGpu();
      this.post({ type: 'device-refused', asked: choice, message: explain(error).message, missing });
    }
  }

  private problems(config: Config): Problem[] {
    try {
      return this.core.check(config);
    } catch (error) {
      if (isPanic(error)) throw error;
      const { problems, message } = explain(error);
      if (problems.length > 0) return problems;
      return [{ field: '', value: null, allowed: 'a config that can be read', advice: message }];
    }
  }

  /** A text that is still on its way does not hold up the run: the request comes again when it is there. */
  private async plan(command: Command & { type: 'plan' }): Promise<void> {
    const { id, config } = command;
    const problems = this.problems(config);
    const lab = this.lab;
    if (problems.length > 0 || !lab) {
      return this.post({ type: 'unplanned', id, problems, message: null, text: null });
    }
    const refuse = (error: unknown) => {
      if (isPanic(error)) throw error;
      const why = explain(error);
      const message = why.problems.length > 0 ? null : why.message;
      const text = this.texts.at(config)?.facts ?? null;
      this.post({ type: 'unplanned', id, problems: why.problems, message, text });
    };
    const text = this.texts.at(config);
    if (!text) {
      this.texts.load(config, this.base).then(() => this.again(command), refuse);
      return;
    }
    try {
      this.post({ type: 'planned', id, plan: lab.plan(config, text.text), text: text.facts });
    } catch (error) {
      refuse(error);
    }
  }

  private async useOwnText(source: Blob | string, name: string): Promise<void> {
    try {
      this.post({ type: 'own-text', facts: await this.texts.useOwn(source, name) });
    } catch (error) {
      this.post({ type: 'own-text-refused', name, message: explain(error).message });
    }
  }

  /** True when a run was begun; otherwise the page has been told why not. */
  private async start(config: Config): Promise<boolean> {
    try {
      const problems = this.problems(config);
      if (problems.length > 0) throw { problems };
      if (!this.lab) throw new Error('No device is open. Choose one first.');
      const { text } = await this.texts.load(config, this.base);
      const plan = this.lab.plan(config, text);
      this.dropRun();
      this.run = await this.lab.start(config, text);
      this.config = config;
      this.post({ type: 'started', config, plan, device: this.lab.device() });
      return true;
    } catch (error) {
      if (isPanic(error)) throw error;
      const { problems, message } = explain(error);
      this.post({ type: 'refused', problems, message: problems.length > 0 ? null : message });
      return false;
    }
  }

  private async sample(prompt: string, temperature: number): Promise<void> {
    try {
      if (!this.run) throw new Error('There is no model yet. Train one first.');
      this.post({ type: 'sample', sample: await this.run.sample(prompt, temperature) });
    } catch (error) {
      if (isPanic(error)) throw error;
      this.post({ type: 'sample-refused', message: explain(error).message });
    }
  }
}
