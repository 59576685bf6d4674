// The worker's ears: each command to the part that obeys it, between two turns of training.

import { Beginnings } from './checkpoint/beginning';
import { Keeper } from './checkpoint/keeper';
import type { Config } from './config/schema';
import { Opener } from './device/opener';
import type { DeviceChoice, Header, Lab, Problem } from './lab';
import { Planner } from './planner';
import { Profiler } from './profile/profiler';
import type { Command, Event } from './protocol';
import { Runs } from './runs';
import { Texts } from './text/texts';

export type Core = {
  open(device: DeviceChoice): Promise<Lab>;
  check(config: Config): Problem[];
  corpusText(config: Config): string;
  checkpointHeader(bytes: Uint8Array): Header;
};

/** The commands that wait to be handled. */
export type Line = {
  /** Puts one back at the end. */
  add(command: Command): void;
  readonly empty: boolean;
};

export class Session {
  private readonly post: (event: Event) => void;
  private readonly opener: Opener;
  private readonly texts: Texts;
  private readonly planner: Planner;
  private readonly keeper: Keeper;
  private readonly runs: Runs;
  private readonly profiler: Profiler;

  constructor(core: Core, post: (event: Event) => void, line: Line) {
    this.post = post;
    this.opener = new Opener(core.open, post);
    this.texts = new Texts(core.corpusText, (name, received, total) =>
      post({ type: 'text-progress', name, received, total }),
    );
    this.planner = new Planner(core.check, this.texts, post, line.add);
    this.keeper = new Keeper(core.checkpointHeader, post);
    const beginnings = new Beginnings(core.checkpointHeader, this.texts, this.keeper);
    this.runs = new Runs(this.opener, this.planner, this.texts, this.keeper, beginnings, post);
    this.profiler = new Profiler(this.opener, this.runs, this.texts, line, post);
  }

  get busy(): boolean {
    return this.runs.busy;
  }

  /** One turn of training. */
  turn(): Promise<void> {
    return this.runs.turn();
  }

  async handle(command: Command): Promise<void> {
    const { runs, planner, keeper, opener } = this;
    switch (command.type) {
      case 'open':
        this.texts.base = command.base;
        runs.drop();
        opener.recall(command.tilings);
        return opener.open(command.device);
      case 'check':
        return this.post({ type: 'checked', id: command.id, problems: planner.problems(command.config) });
      case 'plan':
        return planner.plan(command, opener.lab);
      case 'own-text':
        return planner.useOwnText(command.source, command.name);
      case 'train':
        return runs.train(command.config);
      case 'step':
        return runs.step(command.config);
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
        return runs.load(command.source);
      case 'keep':
        return runs.keep();
      case 'go-on':
        return runs.goOn();
      case 'find-kept':
        return keeper.find();
      case 'forget-kept':
        return keeper.forget();
      case 'profile':
        return this.profiler.profile(command.config);
      case 'end-profile':
        return;
    }
  }
}
