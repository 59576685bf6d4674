// What can be said before a run: whether a config is allowed, what it would cost, which text it would be trained on.

import type { Config } from './config/schema';
import { explain, isPanic } from './errors';
import type { Lab, Problem } from './lab';
import type { Command, Event } from './protocol';
import type { Texts } from './text/texts';

export class Planner {
  private readonly check: (config: Config) => Problem[];
  private readonly texts: Texts;
  private readonly post: (event: Event) => void;
  /** Puts a command back in line. */
  private readonly again: (command: Command) => void;

  constructor(
    check: (config: Config) => Problem[],
    texts: Texts,
    post: (event: Event) => void,
    again: (command: Command) => void,
  ) {
    this.check = check;
    this.texts = texts;
    this.post = post;
    this.again = again;
  }

  problems(config: Config): Problem[] {
    try {
      return this.check(config);
    } catch (error) {
      if (isPanic(error)) throw error;
      const { problems, message } = explain(error);
      if (problems.length > 0) return problems;
      return [{ field: '', value: 'unreadable', allowed: 'a config that can be read', advice: message }];
    }
  }

  /** A text that is still on its way does not hold up the run: the request comes again when it is there. */
  plan(command: Command & { type: 'plan' }, lab: Lab | null): void {
    const { id, config } = command;
    const problems = this.problems(config);
    if (problems.length > 0 || !lab) {
      this.post({ type: 'unplanned', id, problems, message: null, text: null });
      return;
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
      this.texts.load(config).then(() => this.again(command), refuse);
      return;
    }
    try {
      this.post({ type: 'planned', id, plan: lab.plan(config, text.text), text: text.facts });
    } catch (error) {
      refuse(error);
    }
  }

  async useOwnText(source: Blob | string, name: string): Promise<void> {
    try {
      this.post({ type: 'own-text', facts: await this.texts.useOwn(source, name), source: null });
    } catch (error) {
      this.post({ type: 'own-text-refused', name, message: explain(error).message });
    }
  }
}
