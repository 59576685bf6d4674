// Measures where a step's time goes. Lives in the worker, beside a run that is paused or over.

import type { Config } from '../config/schema';
import type { Opener } from '../device/opener';
import { explain, passOn } from '../errors';
import type { Event } from '../protocol';
import type { Runs } from '../runs';
import type { Line } from '../session';
import type { Texts } from '../text/texts';
import type { Tokenizers } from '../tokenizer/tokenizers';
import { turn } from '../turns';

/** Spent on a kernel: long enough for steady figures, short enough for a few dozen of them. */
const BUDGET_SECONDS = 0.05;

export class Profiler {
  private readonly opener: Opener;
  private readonly runs: Runs;
  private readonly texts: Texts;
  private readonly tokenizers: Tokenizers;
  private readonly line: Line;
  private readonly post: (event: Event) => void;

  constructor(
    opener: Opener,
    runs: Runs,
    texts: Texts,
    tokenizers: Tokenizers,
    line: Line,
    post: (event: Event) => void,
  ) {
    this.opener = opener;
    this.runs = runs;
    this.texts = texts;
    this.tokenizers = tokenizers;
    this.line = line;
    this.post = post;
  }

  profile(config: Config): Promise<void> {
    return this.runs.alone(
      () => this.measure(config),
      (error) => this.post({ type: 'unprofiled', message: explain(error).message }),
    );
  }

  private async measure(config: Config): Promise<void> {
    const lab = this.opener.needed();
    const text = await this.texts.load(config);
    this.tokenizers.give(lab, await this.tokenizers.load(config, text));
    let ended = false;
    const goesOn = async (share: number) => {
      this.post({ type: 'profiling', share });
      await turn();
      ended = !this.line.empty;
      return !ended;
    };
    try {
      const profile = await lab.profile(config, text.text, BUDGET_SECONDS, goesOn);
      this.post({ type: 'profiled', measured: { ...profile, config, device: lab.device() } });
    } catch (error) {
      passOn(error);
      if (!ended) throw error;
      this.post({ type: 'unprofiled', message: null });
    }
    // It measures products, too, where no run has yet.
    this.opener.tellTilings();
  }
}
