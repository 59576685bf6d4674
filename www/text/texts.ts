// The texts that the worker holds: the visitor's own, downloaded ones, and the last one the core wrote.

import { type Config, humanize } from '../config/schema';
import { getKnown } from '../config/values';
import { fingerprint } from '../fingerprint';
import type { TextFacts } from '../protocol';
import { FILES, OWN } from './corpora';
import { decode } from './decode';
import { download } from './download';

export class Text {
  readonly text: string;
  readonly facts: TextFacts;
  private known: string | null = null;

  constructor(name: string, bytes: number, text: string) {
    this.text = text;
    this.facts = { name, bytes, head: text.slice(0, PREVIEW_CHARACTERS) };
  }

  get fingerprint(): string {
    this.known ??= fingerprint(this.text);
    return this.known;
  }
}

type Progress = (name: string, received: number, total: number | null) => void;

/** Enough to see what it is about. */
const PREVIEW_CHARACTERS = 1500;

export class Texts {
  /** Where the corpora lie: an address relative to which they are fetched. */
  base = '';
  private own: Text | null = null;
  private readonly files = new Map<string, Text>();
  private written: { key: string; text: Text } | null = null;

  private readonly write: (config: Config) => string;
  private readonly progress: Progress;

  constructor(write: (config: Config) => string, progress: Progress) {
    this.write = write;
    this.progress = progress;
  }

  /** Takes a text in place of the one before, which stays where this one is refused. */
  async useOwn(source: Blob | string, name: string): Promise<TextFacts> {
    const { text, bytes } = await decode(source);
    this.own = new Text(name, bytes, text);
    return this.own.facts;
  }

  /** The config's text where it is at hand. */
  at(config: Config): Text | null {
    const corpus = String(getKnown(config, 'data.corpus'));
    if (corpus === OWN) return this.own;
    if (FILES[corpus]) return this.files.get(corpus) ?? null;
    return this.written?.key === key(config) ? this.written.text : null;
  }

  async load(config: Config): Promise<Text> {
    const there = this.at(config);
    if (there) return there;
    const corpus = String(getKnown(config, 'data.corpus'));
    if (corpus === OWN) throw new Error('There is no text yet. Paste one, or choose or drop a file.');
    const file = FILES[corpus];
    if (file) {
      const blob = await download(new URL(file.path, this.base), (received, total) =>
        this.progress(file.name, received, total),
      );
      const { text, bytes } = await decode(blob);
      const loaded = new Text(file.name, bytes, text);
      this.files.set(corpus, loaded);
      return loaded;
    }
    const text = this.write(config);
    const written = new Text(humanize(corpus), new Blob([text]).size, text);
    this.written = { key: key(config), text: written };
    return written;
  }
}

export const isOwn = (config: Config): boolean => getKnown(config, 'data.corpus') === OWN;

/** All that a generated text depends on. */
const key = (config: Config): string => JSON.stringify(config.data);
