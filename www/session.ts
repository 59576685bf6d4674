// The worker's ears: each command to the part that obeys it, between two turns of training.

import { Beginnings } from './checkpoint/beginning';
import { Keeper } from './checkpoint/keeper';
import type { Config } from './config/schema';
import { Opener } from './device/opener';
import { OwnTasks } from './downstream/tasks';
import { describe, explain, passOn } from './errors';
import type { DeviceChoice, Header, Lab, Problem, Question, Verdict } from './lab';
import { type LengthsCore, Pricer } from './length/cost/pricer';
import { measureLengths } from './length/documents/worker';
import { Looker } from './length/use/looker';
import { Planner } from './planner';
import { Profiler } from './profile/profiler';
import type { Command, Event } from './protocol';
import { Runs } from './runs';
import { Surveyor, type SweepCore } from './sweep/surveyor';
import { Texts } from './text/texts';
import { Splitter } from './tokenizer/splitter';
import { Tokenizers } from './tokenizer/tokenizers';

export type Core = {
  open(device: DeviceChoice): Promise<Lab>;
  check(config: Config): Problem[];
  corpusText(config: Config): string;
  /** How many questions a file of own tasks has; throws what is wrong with it. */
  checkTasks(text: string): number;
  checkpointHeader(bytes: Uint8Array): Header;
  checkpointTokenizer(bytes: Uint8Array): string | undefined;
  sweep: SweepCore;
  compare(question: Question): Verdict;
  lengths: LengthsCore;
};

/** A command, or what is to be done between two of them. */
export type Turn = Command | (() => Promise<void>);

/** What waits to be handled. */
export type Line = {
  /** At the end. */
  add(turn: Turn): void;
  readonly empty: boolean;
};

export class Session {
  private readonly core: Core;
  private readonly post: (event: Event) => void;
  private readonly opener: Opener;
  private readonly texts: Texts;
  private readonly tokenizers: Tokenizers;
  private readonly planner: Planner;
  private readonly keeper: Keeper;
  private readonly runs: Runs;
  private readonly profiler: Profiler;
  private readonly pricer: Pricer;
  private readonly looker: Looker;
  private readonly splitter: Splitter;
  private readonly surveyor: Surveyor;
  private readonly ownTasks: OwnTasks;

  constructor(core: Core, post: (event: Event) => void, line: Line) {
    this.core = core;
    this.post = post;
    this.opener = new Opener(core.open, post);
    this.texts = new Texts(core.corpusText, (name, received, total) =>
      post({ type: 'text-progress', name, received, total }),
    );
    const tokenizers = new Tokenizers(post);
    this.tokenizers = tokenizers;
    this.planner = new Planner(core.check, this.texts, tokenizers, post, line.add);
    this.keeper = new Keeper(core.checkpointHeader, post);
    const reader = { header: core.checkpointHeader, tokenizer: core.checkpointTokenizer };
    const beginnings = new Beginnings(reader, this.texts, tokenizers, this.keeper);
    this.ownTasks = new OwnTasks(core.checkTasks, post);
    const { opener, planner, texts, keeper, ownTasks } = this;
    this.runs = new Runs(opener, planner, texts, tokenizers, ownTasks, keeper, beginnings, line, post);
    this.splitter = new Splitter(texts, tokenizers, line, post);
    this.profiler = new Profiler(opener, this.runs, texts, tokenizers, line, post);
    this.pricer = new Pricer(core.lengths, opener, this.runs, line, post);
    const { runs } = this;
    this.looker = new Looker(opener, runs, tokenizers, line, post);
    this.surveyor = new Surveyor(core.sweep, opener, planner, runs, beginnings, tokenizers, line, post);
  }

  get busy(): boolean {
    return this.runs.busy;
  }

  /** One turn of training. */
  turn(): Promise<void> {
    return this.runs.turn();
  }

  async handle(command: Turn): Promise<void> {
    if (typeof command === 'function') return command();
    const { runs, planner, keeper, opener, tokenizers } = this;
    switch (command.type) {
      case 'open':
        this.texts.base = command.base;
        runs.drop();
        opener.recall(command.tilings);
        return opener.open(command.device, command.workers);
      case 'workers':
        return opener.share(command.count);
      case 'check':
        return this.post({ type: 'checked', id: command.id, problems: planner.problems(command.config) });
      case 'plan':
        return planner.plan(command, opener.lab);
      case 'own-text':
        return planner.useOwnText(command.source, command.name);
      case 'tokenizer-file':
        return void tokenizers.useFile(command.source, command.name);
      case 'own-tasks':
        return this.ownTasks.use(command.source, command.name);
      case 'prepare':
        return planner.prepare(command.config);
      case 'split':
        return this.splitter.split(command, opener);
      case 'documents':
        return measureLengths(command, opener.lab, this.texts, tokenizers, this.post);
      case 'usage':
        return runs.usage();
      case 'stop-tokenizer':
        return runs.stopTokenizer();
      case 'train':
        return runs.train(command.run, command.config);
      case 'step':
        return runs.step(command.run, command.config);
      case 'pause':
        return runs.pause();
      case 'resume':
        return runs.resume();
      case 'stop':
        return runs.stop();
      case 'train-on':
        return runs.trainOn(command.steps);
      case 'recover':
        return runs.recover();
      case 'sample':
        return runs.sample(command.evaluation);
      case 'save':
        return runs.save();
      case 'load':
        return runs.load(command.run, command.source);
      case 'keep':
        return runs.keep();
      case 'go-on':
        return runs.goOn(command.run, command.from);
      case 'find-kept':
        return keeper.find(command.known);
      case 'profile':
        return this.profiler.profile(command.config);
      case 'length-cost':
        return this.pricer.handle(command.asked);
      case 'compare':
        return this.compare(command);
      case 'look-at-use':
        return this.looker.look(command.question);
      case 'extend':
        return runs.extend(command.run, command.config);
      case 'end-profile':
      case 'end-use':
        return;
      case 'sweep':
        return this.surveyor.sweep(command);
      case 'cost':
        return this.surveyor.cost(command);
    }
  }

  private compare({ id, question }: Command & { type: 'compare' }): void {
    try {
      this.post({ type: 'compared', id, verdict: this.core.compare(question), message: null });
    } catch (error) {
      passOn(error);
      const { message, problems } = explain(error);
      const said = message || problems.map((problem) => `${problem.field}: ${describe(problem)}`).join(' ');
      this.post({ type: 'compared', id, verdict: null, message: said });
    }
  }
}
