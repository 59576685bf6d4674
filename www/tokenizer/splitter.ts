// Shows how texts are split. Lives in the lab's worker.

import { getKnown } from '../config/values';
import type { Opener } from '../device/opener';
import { isPanic } from '../errors';
import type { Command, Event } from '../protocol';
import type { Line } from '../session';
import type { Texts } from '../text/texts';
import { isSubword } from './kinds';
import type { Tokenizers } from './tokenizers';

/** Of the text, where nothing else is asked for; and the most that is shown of what is. */
const BEGINNING = 600;
const MOST = 4000;

export class Splitter {
  private readonly texts: Texts;
  private readonly tokenizers: Tokenizers;
  private readonly line: Line;
  private readonly post: (event: Event) => void;

  constructor(texts: Texts, tokenizers: Tokenizers, line: Line, post: (event: Event) => void) {
    this.texts = texts;
    this.tokenizers = tokenizers;
    this.line = line;
    this.post = post;
  }

  /** Says nothing where there is no plan: the page then knows why, and asks again. */
  async split({ id, config, sample }: Command & { type: 'split' }, opener: Opener): Promise<void> {
    const text = this.texts.at(config);
    const tokens = text && this.tokenizers.at(config, text);
    if (!text || (!tokens && isSubword(config))) return;
    const shown = cut(sample ?? text.text, sample === null ? BEGINNING : MOST);
    const use = async (ids?: Uint32Array) => {
      const { lab } = opener;
      if (!lab) return;
      this.tokenizers.give(lab, tokens);
      try {
        const use = lab.vocabulary_use(config, text.text, shown, ids);
        const bytes = new TextEncoder().encode(shown).length;
        const kind = String(getKnown(config, 'tokenizer.kind'));
        this.post({ type: 'split', id, split: { ...use, kind, sample: shown, bytes } });
      } catch (error) {
        // What is wrong with the config is said by its plan.
        if (isPanic(error)) throw error;
      }
    };
    if (!tokens) return use();
    // Commands are heard while the tokenizer works.
    const ready = (ids: Uint32Array) => this.line.add(() => use(ids));
    this.tokenizers.encode(tokens, shown).then(ready, () => {});
  }
}

/** No half of a character that has two. */
const cut = (text: string, most: number): string => text.slice(0, most).replace(/[\uD800-\uDBFF]$/, '');
