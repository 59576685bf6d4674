// What can be said before a run: whether a config is allowed, what it would cost, which text it would be trained on.

import type { Config } from './config/schema';
import { explain, isPanic } from './errors';
import type { Lab, Problem } from './lab';
import type { Command, Event } from './protocol';
import type { Texts } from './text/texts';
import type { Tokenizers } from './tokenizer/tokenizers';

export class Planner {
  private readonly check: (config: Config) => Problem[];
  private readonly texts: Texts;
  private readonly tokenizers: Tokenizers;
  private readonly post: (event: Event) => void;
  /** Puts a command back in line. */
  private readonly again: (command: Command) => void;

  constructor(
    check: (config: Config) => Problem[],
    texts: Texts,
    tokenizers: Tokenizers,
    post: (event: Event) => void,
    again: (command: Command) => void,
  ) {
    this.check = check;
    this.texts = texts;
    this.tokenizers = tokenizers;
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

  /**
   * A text that is still on its way does not hold up the run: the request comes again when it is there. Where a tokenizer
   * is to be made ready first, the page is told when it is, and asks again.
   */
  plan(command: Command & { type: 'plan' }, lab: Lab | null): void {
    const { id, config } = command;
    const problems = this.problems(config);
    if (problems.length > 0 || !lab) {
      this.post({ type: 'unplanned', id, problems, message: null, text: null, waits: false });
      return;
    }
    const refuse = (error: unknown) => {
      if (isPanic(error)) throw error;
      const why = explain(error);
      const message = why.problems.length > 0 ? null : why.message;
      const text = this.texts.at(config);
      const waits = text !== null && this.tokenizers.lacks(config, text);
      this.post({ type: 'unplanned', id, problems: why.problems, message, text: text?.facts ?? null, waits });
    };
    const text = this.texts.at(config);
    if (!text) {
      this.texts.load(config).then(() => this.again(command), refuse);
      return;
    }
    try {
      const tokens = this.tokenizers.at(config, text);
      if (tokens) this.tokenizers.give(lab, tokens);
      else this.tokenizers.offer(config, text);
      this.post({ type: 'planned', id, plan: lab.plan(config, text.text), text: text.facts });
    } catch (error) {
      refuse(error);
    }
  }

  /** The config's text in tokens, asked for. Told by `tokenizing` and `tokenized`. */
  prepare(config: Config): void {
    const text = this.texts.at(config);
    // What goes wrong is told, too.
    if (text) this.tokenizers.load(config, text).catch(() => {});
  }

  async useOwnText(source: Blob | string, name: string): Promise<void> {
    try {
      this.post({ type: 'own-text', facts: await this.texts.useOwn(source, name), source: null });
    } catch (error) {
      this.post({ type: 'own-text-refused', name, message: explain(error).message });
    }
  }
}
