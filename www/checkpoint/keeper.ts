// Keeps the run in the browser's private files, so that a closed tab or a lost device costs a minute at most.
// Lives in the worker.

import { getKnown } from '../config/values';
import { explain, isPanic } from '../errors';
import type { Header } from '../lab';
import type { LiveRun } from '../live';
import type { Event, Kept } from '../protocol';
import { isOwn } from '../text/texts';
import { current, discard, list, replace } from './store';

/** Between two saves of a run that is training. */
const EVERY_MS = 60_000;
const LAST = 'last.safetensors';
/** An own text lies beside its run, under a name that says which text it is: the two can never be mixed up. */
const TEXT = 'last-text';
const textName = (fingerprint: string): string => `${TEXT}.${fingerprint}.txt`;

export class Keeper {
  private readonly header: (bytes: Uint8Array) => Header;
  private readonly post: (event: Event) => void;
  private run: LiveRun | null = null;
  private text: string | null = null;
  private keptStep = 0;
  private keptText = false;
  private next = 0;
  private complained = false;

  constructor(header: (bytes: Uint8Array) => Header, post: (event: Event) => void) {
    this.header = header;
    this.post = post;
  }

  /** From now on this run is kept, and with it its text where that would be gone with the page. */
  follow(run: LiveRun, text: string | null): void {
    this.run = run;
    this.text = text;
    // What it goes on from is in a file already.
    this.keptStep = run.step;
    this.keptText = false;
    this.next = performance.now() + EVERY_MS;
  }

  get due(): boolean {
    return this.run?.state === 'running' && performance.now() >= this.next;
  }

  /** Saves the run where it has gone on since the last time. Never fails: what goes wrong is told once. */
  async keep(): Promise<void> {
    const run = this.run;
    this.next = performance.now() + EVERY_MS;
    if (!run || run.step === this.keptStep) return;
    const bytes = await run.checkpoint().catch((error) => {
      // A lost device or a failed run is the next turn's to tell.
      if (isPanic(error)) throw error;
    });
    if (!bytes) return;
    try {
      const header = this.header(bytes);
      if (this.text !== null && !this.keptText) {
        await replace(textName(header.text), new TextEncoder().encode(this.text));
        this.keptText = true;
      }
      await replace(LAST, bytes);
      this.keptStep = header.step;
      this.post({ type: 'kept', kept: describe(header, Date.now()), found: false });
      await this.discardTexts(this.text === null ? null : header.text);
    } catch (error) {
      if (isPanic(error)) throw error;
      if (!this.complained) this.post({ type: 'not-kept', message: explain(error).message });
      this.complained = true;
    }
  }

  /** Tells the page of a run that was kept before, where there is one that can be read. */
  async find(): Promise<void> {
    try {
      const { header, at } = await this.read();
      this.post({ type: 'kept', kept: describe(header, at), found: true });
    } catch (error) {
      // None, or none that is any good: nothing to offer.
      if (isPanic(error)) throw error;
    }
  }

  /** The kept run, and its own text if it has one. */
  async read(): Promise<{ bytes: Uint8Array; header: Header; at: number; text: File | null }> {
    const file = await current(LAST);
    if (!file) throw new Error('No run is kept in this browser any more. Train one, or load a file.');
    const bytes = new Uint8Array(await file.arrayBuffer());
    const header = this.header(bytes);
    return {
      bytes,
      header,
      at: file.lastModified,
      text: isOwn(header.config) ? await current(textName(header.text)) : null,
    };
  }

  async forget(): Promise<void> {
    await discard([LAST]);
    await this.discardTexts(null);
  }

  private async discardTexts(but: string | null): Promise<void> {
    const names = (await list()).filter((name) => name.startsWith(TEXT));
    await discard(names.filter((name) => but === null || !name.startsWith(textName(but))));
  }
}

const describe = ({ config, step }: Header, at: number): Kept => ({
  step,
  steps: Number(getKnown(config, 'training.steps')),
  at,
});
