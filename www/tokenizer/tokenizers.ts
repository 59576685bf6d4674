// The tokenizers of the lab's worker: trained or loaded by a worker of their own, kept for the visit with the texts in
// their tokens, and ended where nobody waits for them any more.

import type { Config } from '../config/schema';
import { getKnown } from '../config/values';
import { describe, explain } from '../errors';
import { fingerprint } from '../fingerprint';
import { bytes as inBytes } from '../format';
import type { Lab, Run } from '../lab';
import type { Event } from '../protocol';
import type { Text } from '../text/texts';
import { Desk, Ended } from './desk';
import { isFromFile, isSubword } from './kinds';
import type { Loaded, Origin, Tokens } from './messages';
import { Shelf } from './shelf';

/** A longer text is made ready only when it is asked for: it takes more than a moment. */
const AT_ONCE = 8 * 1024 ** 2;
/** No tokenizer that is in use is as large. */
const LARGEST = 64 * 1024 ** 2;
/** Long enough to type a number in. */
const PAUSE_MS = 500;

type Job = {
  key: string;
  /** A run waits for it, or it was asked for: no plan may put another in its place. */
  wanted: boolean;
  tokens: Promise<Tokens>;
};

export class Tokenizers {
  private readonly post: (event: Event) => void;
  /** Works long, and may be ended. */
  private readonly bench = new Desk();
  /** Answers at once. */
  private readonly counter = new Desk();
  private readonly shelf = new Shelf<Tokens>(({ train, heldOut }) => train.byteLength + heldOut.byteLength);
  private readonly given = new WeakMap<Lab, Tokens>();
  private job: Job | null = null;
  private pause: ReturnType<typeof setTimeout> | undefined;
  /** What came to nothing, and why: it is not tried again by itself. */
  private failed: { key: string; error: unknown } | null = null;
  /** The visitor's own tokenizer. */
  private file: Loaded | null = null;

  constructor(post: (event: Event) => void) {
    this.post = post;
  }

  /** The text in tokens where it is at hand; null, too, for a tokenizer that the core has itself. */
  at(config: Config, text: Text): Tokens | null {
    const origin = isSubword(config) ? this.origin(config) : null;
    return origin && (this.shelf.get(key(config, text, origin)) ?? null);
  }

  /**
   * The same, made ready where it is not; with `json` by that tokenizer. What was being made ready for a plan makes way.
   */
  load(config: Config, text: Text, json?: string): Promise<Tokens | null> {
    if (!isSubword(config)) return Promise.resolve(null);
    const origin = json === undefined ? this.origin(config) : { json };
    if (!origin) return Promise.reject(new Error(NO_FILE));
    return this.make(config, text, origin, true);
  }

  /**
   * Makes the text ready for a plan that needs it, a moment from now, where it is short enough. Always throws then what
   * to say meanwhile, or why it came to nothing before. Ends in the event `tokenized`.
   */
  offer(config: Config, text: Text): void {
    clearTimeout(this.pause);
    const coming = this.coming(config, text);
    if (!coming && !this.job?.wanted) this.abandon();
    if (!isSubword(config)) return;
    const origin = this.origin(config);
    if (!origin) throw new Error(NO_FILE);
    if (coming) throw new Error(COMING);
    if (this.failed?.key === key(config, text, origin)) throw this.failed.error;
    if (this.job) throw new Error('Another tokenizer is being made ready; this one comes after it.');
    if (long(text))
      throw new Error(`The plan needs the text in tokens, and ${inBytes(text.facts.bytes)} take a while.`);
    this.pause = setTimeout(() => this.make(config, text, origin, false).catch(told), PAUSE_MS);
    throw new Error(COMING);
  }

  /** Whether a plan needs what is made ready only when it is asked for. */
  lacks(config: Config, text: Text): boolean {
    const origin = isSubword(config) ? this.origin(config) : null;
    if (!origin || this.at(config, text) || this.coming(config, text)) return false;
    return long(text) || this.failed?.key === key(config, text, origin);
  }

  /** Ends what is being made ready; it is not tried again by itself. */
  stop(): void {
    if (this.job) this.failed = { key: this.job.key, error: new Ended('The tokenizer was stopped.') };
    this.abandon();
  }

  /** Takes a tokenizer in place of the one before, which stays where this one is refused. */
  async useFile(source: Blob, name: string): Promise<void> {
    try {
      if (source.size > LARGEST)
        throw new Error(`It has ${inBytes(source.size)}; at most ${inBytes(LARGEST)} fit.`);
      const loaded = await this.counter.ask('load', { file: await source.arrayBuffer() });
      this.take(loaded, name);
    } catch (error) {
      const { message, problems } = explain(error);
      const why = problems.length > 0 ? problems.map(describe).join(' ') : message;
      this.post({ type: 'tokenizer-refused', name, message: why });
    }
  }

  /** A run that goes on brings the file that it was begun with. */
  adopt(config: Config, tokens: Tokens | null): void {
    if (!tokens || !isFromFile(config) || this.file?.json === tokens.json) return;
    const { json, name, vocabulary } = tokens;
    this.take({ json, name, vocabulary }, 'The tokenizer of the loaded run');
  }

  /** Any text in the tokens of this tokenizer. */
  encode({ json }: Loaded, text: string): Promise<Uint32Array> {
    return this.counter.ask('encode', { json, text });
  }

  /** Hands a run its downstream tasks in tokens. */
  async giveItems(run: Run, { json }: Loaded): Promise<void> {
    const texts = run.item_texts();
    if (!texts) return;
    const { tokens, lengths } = await this.counter.ask('encodeAll', { json, texts });
    run.use_items(tokens, lengths);
  }

  /** Hands over what the lab plans and trains with next. */
  give(lab: Lab, tokens: Tokens | null): void {
    if (!tokens || this.given.get(lab) === tokens) return;
    const { json, lengths, bytes, train, heldOut, of, covered, trainCovered } = tokens;
    lab.use_tokens(json, lengths, bytes, train, heldOut, of, covered, trainCovered);
    this.given.set(lab, tokens);
  }

  private coming(config: Config, text: Text): boolean {
    const origin = isSubword(config) ? this.origin(config) : null;
    return origin !== null && this.job?.key === key(config, text, origin);
  }

  /** Null where a file is still to be chosen. */
  private origin(config: Config): Origin | null {
    if (isFromFile(config)) return this.file && { json: this.file.json };
    return {
      kind: String(getKnown(config, 'tokenizer.kind')),
      vocabulary: Number(getKnown(config, 'tokenizer.vocabulary')),
    };
  }

  private take(loaded: Loaded, name: string): void {
    this.file = loaded;
    const facts = { name, words: loaded.name, vocabulary: loaded.vocabulary };
    this.post({ type: 'tokenizer-file', facts, source: new Blob([loaded.json]) });
  }

  private make(config: Config, text: Text, origin: Origin, wanted: boolean): Promise<Tokens> {
    const { job } = this;
    const name = key(config, text, origin);
    const there = this.shelf.get(name);
    if (there) return Promise.resolve(there);
    if (job?.key === name) {
      job.wanted ||= wanted;
      return job.tokens;
    }
    clearTimeout(this.pause);
    this.abandon();
    const heldOutFraction = Number(getKnown(config, 'data.held_out_fraction'));
    this.failed = null;
    const tokens = this.bench.ask('prepare', { origin, text: text.text, heldOutFraction }, (stage, share) =>
      this.post({ type: 'tokenizing', stage, share }),
    );
    const made: Job = { key: name, wanted, tokens };
    this.job = made;
    const over = () => {
      if (this.job !== made) return;
      this.job = null;
      this.post({ type: 'tokenized' });
    };
    tokens.then(
      (tokens) => {
        this.shelf.put(name, tokens);
        over();
      },
      (error) => {
        if (!(error instanceof Ended)) this.failed = { key: name, error };
        over();
      },
    );
    return tokens;
  }

  private abandon(): void {
    if (!this.job) return;
    this.job = null;
    this.bench.end();
    this.post({ type: 'tokenized' });
  }
}

const NO_FILE =
  'There is no tokenizer yet. Choose or drop its file: a tokenizer.json or a SentencePiece .model.';
const COMING = 'The tokenizer is being made ready.';

const long = (text: Text): boolean => text.facts.bytes > AT_ONCE;

/** By an event. */
const told = (): void => {};

/** All that decides what a text is in tokens. */
function key(config: Config, text: Text, origin: Origin): string {
  const what = 'json' in origin ? fingerprint(origin.json) : origin;
  return JSON.stringify([text.fingerprint, getKnown(config, 'data.held_out_fraction'), what]);
}
