// Finds out what a model makes of its context. Lives in the worker, beside a run that is paused or over.

import type { Beginning } from '../../checkpoint/beginning';
import { getKnown } from '../../config/values';
import type { Opener } from '../../device/opener';
import { explain, passOn } from '../../errors';
import type { Lab } from '../../lab';
import type { Event } from '../../protocol';
import type { Runs } from '../../runs';
import type { Line } from '../../session';
import type { Tokenizers } from '../../tokenizer/tokenizers';
import { turn } from '../../turns';
import type { Found, Question } from './types';

/** A run that stands, and its state as a file. */
type Standing = Beginning & { bytes: Uint8Array };

export class Looker {
  private readonly opener: Opener;
  private readonly runs: Runs;
  private readonly tokenizers: Tokenizers;
  private readonly line: Line;
  private readonly post: (event: Event) => void;

  constructor(opener: Opener, runs: Runs, tokenizers: Tokenizers, line: Line, post: (event: Event) => void) {
    this.opener = opener;
    this.runs = runs;
    this.tokenizers = tokenizers;
    this.line = line;
    this.post = post;
  }

  look(question: Question): Promise<void> {
    return this.runs.look(
      (standing) => this.answer(question, standing),
      (error) => this.post({ type: 'use-ended', what: question.what, message: explain(error).message }),
    );
  }

  private async answer(question: Question, standing: Standing): Promise<void> {
    const { what } = question;
    const lab = this.opener.needed();
    this.tokenizers.give(lab, standing.tokens);
    let ended = false;
    const goesOn = async (share: number) => {
      this.post({ type: 'use-progress', what, share });
      await turn();
      ended = !this.line.empty;
      return !ended;
    };
    try {
      const found = await this.find(question, standing, lab, goesOn);
      this.post({ type: 'use-found', run: standing.run, step: standing.step, found });
    } catch (error) {
      passOn(error);
      if (!ended) throw error;
      this.post({ type: 'use-ended', what, message: null });
    }
  }

  private async find(
    question: Question,
    { config, text: { text }, bytes, tokens }: Standing,
    lab: Lab,
    goesOn: (share: number) => Promise<boolean>,
  ): Promise<Found> {
    switch (question.what) {
      case 'lengths': {
        const read = Number(getKnown(config, 'evaluation.final_bytes'));
        const lengths = await lab.lengths(config, bytes, text, new Uint32Array(), read, goesOn);
        return { what: 'lengths', lengths };
      }
      case 'induction':
        return { what: 'induction', induction: await lab.induction(config, bytes, text, goesOn) };
      case 'attention': {
        await goesOn(0);
        const { prompt } = question;
        const encoded = tokens ? await this.tokenizers.encode(tokens, prompt) : undefined;
        return {
          what: 'attention',
          prompt,
          attention: await lab.attention(config, bytes, text, prompt, encoded),
        };
      }
    }
  }
}
