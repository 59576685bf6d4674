// Keeps the run, so that a lost device or a closed tab costs a minute at most: in memory, to go on from when its device
// is lost, and in the browser's private files. Lives in the worker.
//
// What is in memory costs as much as the file has, with AdamW 12 bytes a parameter. It is there where a browser gives no
// files (a private window), and no other tab can put its own run in its place.

import { getKnown } from '../config/values';
import { explain, isPanic, passOn } from '../errors';
import type { Header } from '../lab';
import type { LiveRun } from '../live';
import type { Event, Kept } from '../protocol';
import { isOwn } from '../text/texts';
import type { Beginning } from './beginning';
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
  /** Where the run that was begun last can begin again. */
  last: Beginning | null = null;
  private filedStep = 0;
  private filedText = false;
  private next = 0;
  private complained = false;

  constructor(header: (bytes: Uint8Array) => Header, post: (event: Event) => void) {
    this.header = header;
    this.post = post;
  }

  /** From now on the run that begins so is kept, and with it its text where that would be gone with the page. */
  follow(beginning: Beginning): void {
    this.last = beginning;
    // What it goes on from is in a file already.
    this.filedStep = beginning.step;
    this.filedText = false;
    this.schedule();
  }

  get due(): boolean {
    return performance.now() >= this.next;
  }

  private schedule(): void {
    this.next = performance.now() + EVERY_MS;
  }

  /** Saves the run where it has gone on since the last time. Throws only where its device is lost. */
  async keep(run: LiveRun): Promise<void> {
    this.schedule();
    if (!this.last) return;
    if (run.step !== this.last.step) {
      const bytes = await run.checkpoint().catch(passOn);
      // A failed run is the next turn's to tell.
      if (!bytes) return;
      this.last = { ...this.last, step: run.step, bytes };
    }
    const { step, bytes, text } = this.last;
    if (bytes !== null && step !== this.filedStep) await this.file(bytes, text.text);
  }

  /** What goes wrong is told once. */
  private async file(bytes: Uint8Array, text: string): Promise<void> {
    try {
      const header = this.header(bytes);
      const own = isOwn(header.config);
      if (own && !this.filedText) {
        await replace(textName(header.text), new TextEncoder().encode(text));
        this.filedText = true;
      }
      await replace(LAST, bytes);
      this.filedStep = header.step;
      this.post({ type: 'kept', kept: describe(header, Date.now()), found: false });
      await this.discardTexts(own ? header.text : null);
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
