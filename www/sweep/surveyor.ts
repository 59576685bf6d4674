// What can be said of a sweep before it runs: its runs, and what each takes. Lives in the worker.

import type { Beginning, Beginnings } from '../checkpoint/beginning';
import { getKnown, setKnown } from '../config/values';
import type { Opener } from '../device/opener';
import { explain, isPanic } from '../errors';
import type { Planner } from '../planner';
import type { Command, Event } from '../protocol';
import type { Runs } from '../runs';
import type { Line } from '../session';
import type { Tokenizers } from '../tokenizer/tokenizers';
import { flopsOf } from '../work';
import type { Budget, Cost, Definition, Listed, Reading } from './types';

/** What the core knows of sweeps. Both throw problems. */
export type SweepCore = {
  parse(definition: unknown): Definition;
  runs(definition: Definition): Listed[];
};

export class Surveyor {
  private readonly core: SweepCore;
  private readonly opener: Opener;
  private readonly planner: Planner;
  private readonly runs: Runs;
  private readonly beginnings: Beginnings;
  private readonly tokenizers: Tokenizers;
  private readonly line: Line;
  private readonly post: (event: Event) => void;

  constructor(
    core: SweepCore,
    opener: Opener,
    planner: Planner,
    runs: Runs,
    beginnings: Beginnings,
    tokenizers: Tokenizers,
    line: Line,
    post: (event: Event) => void,
  ) {
    this.core = core;
    this.opener = opener;
    this.planner = planner;
    this.runs = runs;
    this.beginnings = beginnings;
    this.tokenizers = tokenizers;
    this.line = line;
    this.post = post;
  }

  sweep({ id, definition }: Command & { type: 'sweep' }): void {
    this.post({ type: 'swept', id, reading: this.read(definition) });
  }

  private read(asked: unknown): Reading {
    let definition: Definition | null = null;
    try {
      definition = this.core.parse(asked);
      return { definition, runs: this.core.runs(definition), problems: [] };
    } catch (error) {
      if (isPanic(error)) throw error;
      const { problems, message } = explain(error);
      const unreadable = { field: '', value: '', allowed: 'a sweep that can be read', advice: message };
      return { definition, runs: [], problems: problems.length > 0 ? problems : [unreadable] };
    }
  }

  /** Commands are heard while the text and its tokenizer are made ready. */
  cost({ id, config, budget }: Command & { type: 'cost' }): void {
    const refuse = (error: unknown) => {
      if (isPanic(error)) throw error;
      const { problems, message } = explain(error);
      this.post({ type: 'cost', id, cost: null, problems, message: problems.length > 0 ? null : message });
    };
    const work = async (beginning: Beginning) => {
      this.post({ type: 'cost', id, cost: await this.take(beginning, budget), problems: [], message: null });
    };
    const problems = this.planner.problems(config);
    const getting = problems.length > 0 ? Promise.reject({ problems }) : this.beginnings.fresh('', config);
    getting.then(
      (beginning) => this.line.add(() => this.runs.alone(() => work(beginning), refuse)),
      (error) => this.line.add(async () => refuse(error)),
    );
  }

  private async take({ config, text, tokens }: Beginning, budget: Budget | null): Promise<Cost> {
    const lab = this.opener.needed();
    this.tokenizers.give(lab, tokens);
    const steps = budget
      ? await lab.steps_for(config, text.text, budget)
      : Number(getKnown(config, 'training.steps'));
    const plan = lab.plan(setKnown(config, 'training.steps', steps), text.text);
    return { steps, flops: flopsOf(plan, steps) };
  }
}
