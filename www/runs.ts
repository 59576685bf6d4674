// The present run in the worker: how it begins, and what becomes of it when its device is lost.

import { type Beginning, type Beginnings, begin } from './checkpoint/beginning';
import type { Keeper } from './checkpoint/keeper';
import type { Config, Values } from './config/schema';
import { setKnown } from './config/values';
import type { Opener } from './device/opener';
import type { OwnTasks } from './downstream/tasks';
import { explain, isLoss, isPanic, Loss } from './errors';
import { LiveRun } from './live';
import type { Planner } from './planner';
import type { Event } from './protocol';
import type { Line } from './session';
import type { Texts } from './text/texts';
import type { Tokenizers } from './tokenizer/tokenizers';

export class Runs {
  private run: LiveRun | null = null;
  private readonly opener: Opener;
  private readonly planner: Planner;
  /** What the next run begins with, while it is got; `stopped`: what to say where it is no longer wanted. */
  private coming: { stopped: () => void } | null = null;
  private readonly texts: Texts;
  private readonly tokenizers: Tokenizers;
  private readonly ownTasks: OwnTasks;
  private readonly keeper: Keeper;
  private readonly beginnings: Beginnings;
  private readonly line: Line;
  private readonly post: (event: Event) => void;

  constructor(
    opener: Opener,
    planner: Planner,
    texts: Texts,
    tokenizers: Tokenizers,
    ownTasks: OwnTasks,
    keeper: Keeper,
    beginnings: Beginnings,
    line: Line,
    post: (event: Event) => void,
  ) {
    this.opener = opener;
    this.planner = planner;
    this.texts = texts;
    this.tokenizers = tokenizers;
    this.ownTasks = ownTasks;
    this.keeper = keeper;
    this.beginnings = beginnings;
    this.line = line;
    this.post = post;
  }

  get busy(): boolean {
    return this.run?.busy ?? false;
  }

  drop(): void {
    this.run?.free();
    this.run = null;
  }

  /** One turn of training. */
  turn(): Promise<void> {
    return this.surely(async () => {
      const { run } = this;
      if (!run) return;
      if (!(await run.turn())) return this.drop();
      if (run.ended || (run.state === 'running' && this.keeper.due)) await this.keeper.keep(run);
    });
  }

  train(id: string, config: Config): void {
    this.start(id, config, (run) => run.resume());
  }

  step(id: string, config: Config): void {
    if (this.run?.state === 'paused') this.run.single();
    else this.start(id, config, (run) => run.single());
  }

  async pause(): Promise<void> {
    if (this.run?.state !== 'running') return;
    this.run.pause();
    await this.keep();
  }

  resume(): void {
    if (this.run?.state === 'paused') this.run.resume();
  }

  async stop(): Promise<void> {
    if (this.coming) return this.stopTokenizer();
    if (!this.run || this.run.ended) return;
    this.run.stop();
    await this.keep();
  }

  /** And with it the run that waits for it. */
  stopTokenizer(): void {
    const { coming } = this;
    this.coming = null;
    this.tokenizers.stop();
    coming?.stopped();
  }

  keep(): Promise<void> {
    return this.surely(async () => {
      if (this.run) await this.keeper.keep(this.run);
    });
  }

  usage(): void {
    if (this.run) this.run.usage();
    else this.post({ type: 'usage', usage: null, step: 0 });
  }

  sample(evaluation: Values): void {
    if (this.run) this.run.ask(evaluation);
    else this.post({ type: 'sample-refused', message: 'There is no model yet. Train one first.' });
  }

  save(): Promise<void> {
    const save = async () => {
      if (!this.run) throw new Error('There is no run to save. Train one first.');
      const file = await this.run.checkpoint();
      this.post({ type: 'saved', step: this.run.step, file });
    };
    return this.surely(save, this.refuseFile('save'));
  }

  load(id: string, source: Blob): void {
    const load = async (beginning: Beginning) => (await this.begin(beginning, { untried: true })).pause();
    this.whenThere(this.beginnings.file(id, source), load, this.refuseFile('load'), this.loadStopped);
  }

  /** As run `id`, with what the browser keeps of run `from`: the same, or one that is none of the page's. */
  goOn(id: string, from: string): void {
    const goOn = async ({ beginning, text }: { beginning: Beginning; text: File | null }) => {
      const run = await this.begin({ ...beginning, run: id }, { untried: true });
      if (id !== from) {
        await this.keeper.keep(run);
        if (this.keeper.filed) await this.keeper.forget(from);
      }
      if (text) {
        const facts = await this.texts.useOwn(text, 'The text of the kept run');
        this.post({ type: 'own-text', facts, source: text });
      }
      run.resume();
    };
    this.whenThere(this.beginnings.kept(from), goOn, this.refuseFile('load'), this.loadStopped);
  }

  /** Takes a run that has ended on to so many steps. */
  trainOn(steps: number): Promise<void> {
    const trainOn = async () => {
      const { run } = this;
      if (!run?.ended) throw new Error('There is no run to train on. Train one first.');
      const bytes = await run.checkpoint();
      const config = setKnown(run.config, 'training.steps', steps);
      const beginning = { ...this.beginnings.last(), config, step: run.step, bytes };
      (await this.begin(beginning, { continues: true })).resume();
    };
    return this.surely(trainOn, this.refuse);
  }

  /** After a loss that could not be made good, on the device that is open now. The next one ends the run again. */
  recover(): Promise<void> {
    const recover = async () => {
      const run = await this.begin(this.beginnings.last(), { continues: true });
      run.mended = true;
      run.resume();
    };
    return this.surely(recover, this.refuse);
  }

  /** Work that has the device to itself: not while a run trains, and after its last step has arrived. */
  alone(work: () => Promise<void>, refuse: (error: unknown) => void): Promise<void> {
    const alone = async () => {
      if (this.run?.state === 'running') throw new Error('A run is training. Pause it first.');
      await this.run?.settle();
      await work();
    };
    return this.surely(alone, refuse);
  }

  /** Looks at the present run as it stands. */
  look(
    work: (standing: Beginning & { bytes: Uint8Array }) => Promise<void>,
    refuse: (error: unknown) => void,
  ) {
    const look = async () => {
      const { run } = this;
      if (!run) throw new Error('There is no model yet. Train one first.');
      await work({ ...this.beginnings.last(), step: run.step, bytes: await run.checkpoint() });
    };
    return this.alone(look, refuse);
  }

  /** Begins a run with the parameters of the present one. */
  extend(id: string, config: Config): Promise<void> {
    const extend = async () => {
      const { run } = this;
      if (!run?.ended) throw new Error('There is no run that has ended. Train one first.');
      const init = await run.checkpoint();
      const beginning = { ...this.beginnings.last(), run: id, config, step: 0, bytes: null, init };
      (await this.begin(beginning, { untried: true })).resume();
    };
    return this.surely(extend, this.refuse);
  }

  private readonly report = (share: number): void => this.post({ type: 'starting', share });

  private readonly refuse = (error: unknown): void => {
    const { problems, message } = explain(error);
    this.post({ type: 'refused', problems, message: problems.length > 0 ? null : message });
  };

  private readonly refuseFile =
    (wanted: 'save' | 'load') =>
    (error: unknown): void =>
      this.post({ type: 'file-refused', wanted, message: explain(error).message });

  private readonly loadStopped = (): void =>
    this.refuseFile('load')('It was stopped before its text was ready.');

  private start(id: string, config: Config, go: (run: LiveRun) => void): void {
    const fresh = async () => {
      const problems = this.planner.problems(config);
      if (problems.length > 0) throw { problems };
      this.opener.needed();
      return this.beginnings.fresh(id, config);
    };
    // The run before stands where it stood.
    const stopped = () =>
      this.post(this.run ? { type: this.run.state } : { type: 'refused', problems: [], message: null });
    this.whenThere(fresh(), async (beginning) => go(await this.begin(beginning)), this.refuse, stopped);
  }

  /** What a run begins with may take a while to get: commands are heard meanwhile, and Stop ends the wait. */
  private whenThere<Got>(
    getting: Promise<Got>,
    work: (got: Got) => Promise<void>,
    refuse: (error: unknown) => void,
    stopped: () => void,
  ): void {
    const coming = { stopped };
    this.coming = coming;
    const then = async () => {
      if (this.coming !== coming) return;
      this.coming = null;
      await this.surely(async () => work(await getting), refuse);
    };
    const over = () => this.line.add(then);
    getting.then(over, over);
  }

  /**
   * Makes a run, paused, in place of the present one. `continues`: it is the same run. `untried`: its checkpoint may be
   * refused; the present run then stays.
   */
  private async begin(beginning: Beginning, { continues = false, untried = false } = {}): Promise<LiveRun> {
    const lab = this.opener.needed();
    const { config, text, tokens, prompt, step, bytes } = beginning;
    this.tokenizers.give(lab, tokens);
    const plan = lab.plan(config, text.text);
    const makeRoom = () => {
      this.drop();
      this.keeper.follow(beginning);
    };
    if (!untried) makeRoom();
    const team = this.opener.team();
    const run = await begin(beginning, lab, this.report, this.ownTasks.text, team);
    if (tokens) await this.tokenizers.giveItems(run, tokens);
    this.opener.tellTilings();
    if (untried) makeRoom();
    this.tokenizers.adopt(config, tokens);
    const encode = tokens && ((words: string) => this.tokenizers.encode(tokens, words));
    const prompts = encode && prompt ? { usual: prompt, encode } : null;
    this.run = new LiveRun(run, config, step, prompts, team, this.post);
    const from = bytes === null ? null : step;
    const device = { ...lab.device(), workers: run.workers() };
    this.post({ type: 'started', run: beginning.run, config, plan, device, from, continues });
    return this.run;
  }

  /**
   * Does what needs the device. Where that is lost, gets it back and tries once more; where it stays away, the page is
   * told where the run can be gone on from. `refuse` takes all other errors.
   */
  private async surely(work: () => Promise<void>, refuse = passOnAll): Promise<void> {
    try {
      await work().catch(async (error) => {
        await this.mend(error);
        await work();
      });
    } catch (error) {
      if (isPanic(error)) throw error;
      if (!isLoss(error)) return refuse(error);
      this.drop();
      this.post({ type: 'lost', message: explain(error).message, from: this.keeper.last?.step ?? null });
    }
  }

  /** Gets a lost GPU back, and the run from where it was last saved: once a run. Otherwise throws what was thrown. */
  private async mend(error: unknown): Promise<void> {
    const { run } = this;
    if (!isLoss(error) || run?.mended) throw error;
    const { message } = explain(error);
    const last = run && this.beginnings.last();
    this.post({ type: 'recovering', message, from: last?.step ?? null });
    await this.opener.reopen(message);
    if (run && last) {
      const again = await this.begin(last, { continues: true }).catch((why) => {
        if (isPanic(why)) throw why;
        throw new Loss(`${message}, and the run could not go on when it was back: ${explain(why).message}`);
      });
      again.replace(run);
    }
    this.post({ type: 'recovered' });
  }
}

function passOnAll(error: unknown): void {
  throw error;
}
