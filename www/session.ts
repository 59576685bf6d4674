// What the worker knows between two turns: the device, the text, the run. Commands in, events out.

import { Keeper } from './checkpoint/keeper';
import { read, resume } from './checkpoint/resume';
import type { Config } from './config/schema';
import { whyNoWebGpu } from './device/webgpu';
import { explain, isPanic } from './errors';
import type { DeviceChoice, Header, Lab, Plan, Problem } from './lab';
import { LiveRun } from './live';
import type { Command, Event } from './protocol';
import { isOwn, Texts } from './text/texts';

export type Core = {
  open(device: DeviceChoice): Promise<Lab>;
  check(config: Config): Problem[];
  corpusText(config: Config): string;
  checkpointHeader(bytes: Uint8Array): Header;
};

export class Session {
  private lab: Lab | null = null;
  private run: LiveRun | null = null;
  private base = '';
  private readonly core: Core;
  private readonly post: (event: Event) => void;
  /** Puts a command back in line. */
  private readonly again: (command: Command) => void;
  private readonly texts: Texts;
  private readonly keeper: Keeper;

  constructor(core: Core, post: (event: Event) => void, again: (command: Command) => void) {
    this.core = core;
    this.post = post;
    this.again = again;
    this.keeper = new Keeper(core.checkpointHeader, post);
    this.texts = new Texts(core.corpusText, (name, received, total) =>
      post({ type: 'text-progress', name, received, total }),
    );
  }

  get busy(): boolean {
    return this.run?.busy ?? false;
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
        if (await this.start(command.config)) this.run?.resume();
        return;
      case 'step':
        if (this.run?.state === 'paused' || (await this.start(command.config))) this.run?.single();
        return;
      case 'pause':
        if (this.run?.state !== 'running') return;
        this.run.pause();
        return this.keep();
      case 'resume':
        if (this.run?.state === 'paused') this.run.resume();
        return;
      case 'stop':
        if (!this.run || this.run.state === 'ended') return;
        this.run.stop();
        return this.keep();
      case 'sample':
        return this.sample(command.prompt, command.temperature);
      case 'save':
        return this.save();
      case 'load':
        return this.load(command.source);
      case 'keep':
        return this.keep();
      case 'find-kept':
        return this.keeper.find();
      case 'go-on':
        return this.goOn();
      case 'forget-kept':
        return this.keeper.forget();
    }
  }

  /** One turn of training. */
  async turn(): Promise<void> {
    const run = this.run;
    if (!run) return;
    if (!(await run.turn())) return this.dropRun();
    if (this.keeper.due || run.state === 'ended') await this.keep();
  }

  private async keep(): Promise<void> {
    if (this.run) await this.keeper.keep();
  }

  private readonly report = (share: number): void => this.post({ type: 'starting', share });

  private dropRun(): void {
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
      return [{ field: '', value: 'unreadable', allowed: 'a config that can be read', advice: message }];
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
      this.post({ type: 'own-text', facts: await this.texts.useOwn(source, name), source: null });
    } catch (error) {
      this.post({ type: 'own-text-refused', name, message: explain(error).message });
    }
  }

  /** True when a run was begun; otherwise the page has been told why not. */
  private async start(config: Config): Promise<boolean> {
    try {
      const problems = this.problems(config);
      if (problems.length > 0) throw { problems };
      const lab = this.openLab();
      const { text } = await this.texts.load(config, this.base);
      const plan = lab.plan(config, text);
      this.dropRun();
      const run = await lab.start(config, text, this.report);
      this.begin(lab, new LiveRun(run, config, 0, this.post), text, plan, null);
      return true;
    } catch (error) {
      if (isPanic(error)) throw error;
      const { problems, message } = explain(error);
      this.post({ type: 'refused', problems, message: problems.length > 0 ? null : message });
      return false;
    }
  }

  private openLab(): Lab {
    if (!this.lab) throw new Error('No device is open. Choose one first.');
    return this.lab;
  }

  private begin(lab: Lab, run: LiveRun, text: string, plan: Plan, from: number | null): void {
    this.run = run;
    const { config } = run;
    this.keeper.follow(run, isOwn(config) ? text : null);
    this.post({ type: 'started', config, plan, device: lab.device(), from });
  }

  private async save(): Promise<void> {
    try {
      if (!this.run) throw new Error('There is no run to save. Train one first.');
      const file = (await this.run.checkpoint()) as Uint8Array<ArrayBuffer>;
      this.post({ type: 'saved', step: this.run.step, file });
    } catch (error) {
      this.refuseFile('save', error);
    }
  }

  private async load(source: Blob): Promise<void> {
    try {
      await this.resume(await read(source), null);
      this.post({ type: 'paused' });
    } catch (error) {
      this.refuseFile('load', error);
    }
  }

  private async goOn(): Promise<void> {
    try {
      const { bytes, text } = await this.keeper.read();
      await this.resume(bytes, text);
      this.run?.resume();
    } catch (error) {
      this.refuseFile('load', error);
    }
  }

  /** Takes a checkpoint's run in place of the present one, which stays where this one is refused. */
  private async resume(bytes: Uint8Array, keptText: File | null): Promise<void> {
    const [lab, header] = [this.openLab(), this.core.checkpointHeader(bytes)];
    const means = { lab, texts: this.texts, base: this.base, report: this.report };
    const resumed = await resume(header, bytes, (await keptText?.text()) ?? null, means);
    this.dropRun();
    if (keptText) {
      const facts = await this.texts.useOwn(keptText, 'The text of the kept run');
      this.post({ type: 'own-text', facts, source: keptText });
    }
    const { run, config, step, text, plan } = resumed;
    this.begin(lab, new LiveRun(run, config, step, this.post), text, plan, step);
  }

  private refuseFile(wanted: 'save' | 'load', error: unknown): void {
    if (isPanic(error)) throw error;
    this.post({ type: 'file-refused', wanted, message: explain(error).message });
  }

  private async sample(prompt: string, temperature: number): Promise<void> {
    try {
      if (!this.run) throw new Error('There is no model yet. Train one first.');
      await this.run.sample(prompt, temperature);
    } catch (error) {
      if (isPanic(error)) throw error;
      this.post({ type: 'sample-refused', message: explain(error).message });
    }
  }
}
