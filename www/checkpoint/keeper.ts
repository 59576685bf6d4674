// Keeps runs, so that a lost device or a closed tab costs a minute at most: in memory, to go on from when its device is
// lost, and in the browser's private files, a file a run. Lives in the worker.
//
// What is in memory costs as much as the file has, with AdamW 12 bytes a parameter. It is there where a browser gives no
// files (a private window).

import { getKnown } from '../config/values';
import { explain, isPanic, passOn } from '../errors';
import type { Header } from '../lab';
import type { LiveRun } from '../live';
import type { Event, Kept } from '../protocol';
import { isOwn } from '../text/texts';
import type { Beginning } from './beginning';
import {
  current,
  discardTexts,
  discardWeights,
  replace,
  runsWithWeights,
  textName,
  weightsName,
} from './store';

/** Between two saves of a run that is training. */
const EVERY_MS = 60_000;

export class Keeper {
  private readonly header: (bytes: Uint8Array) => Header;
  private readonly post: (event: Event) => void;
  /** Where the run that was begun last can begin again. */
  last: Beginning | null = null;
  private filedStep = 0;
  private filedText = false;
  private next = 0;

  constructor(header: (bytes: Uint8Array) => Header, post: (event: Event) => void) {
    this.header = header;
    this.post = post;
  }

  /** From now on the run that begins so is kept, and with it its text where that would be gone with the page. */
  follow(beginning: Beginning): void {
    if (beginning.run !== this.last?.run) {
      this.filedStep = 0;
      this.filedText = false;
    }
    this.last = beginning;
    this.schedule();
  }

  get due(): boolean {
    return performance.now() >= this.next;
  }

  /** What is in memory is in its file too. */
  get filed(): boolean {
    return this.last !== null && this.filedStep === this.last.step;
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
    if (this.last.bytes !== null && !this.filed) await this.file(this.last, this.last.bytes);
  }

  private async file({ run, text }: Beginning, bytes: Uint8Array): Promise<void> {
    try {
      const header = this.header(bytes);
      if (isOwn(header.config) && !this.filedText) {
        await replace(textName(run, header.text), new TextEncoder().encode(text.text));
        this.filedText = true;
      }
      await replace(weightsName(run), bytes);
      this.filedStep = header.step;
      this.post({ type: 'kept', run, kept: describe(header, bytes.length, Date.now()) });
      if (isOwn(header.config)) await discardTexts(run, textName(run, header.text));
    } catch (error) {
      if (isPanic(error)) throw error;
      const full = error instanceof DOMException && error.name === 'QuotaExceededError';
      this.post({ type: 'not-kept', run, bytes: bytes.length, full, message: explain(error).message });
    }
  }

  /** Tells the page of the newest run that is kept, can be read and is none of the `known`. */
  async find(known: string[]): Promise<void> {
    const runs = (await runsWithWeights().catch(() => [])).filter((run) => !known.includes(run));
    const files = await Promise.all(
      runs.map(async (run) => ({ run, file: await current(weightsName(run)) })),
    );
    files.sort((one, other) => (other.file?.lastModified ?? 0) - (one.file?.lastModified ?? 0));
    for (const { run } of files) {
      try {
        const { header, bytes, at } = await this.read(run);
        return this.post({ type: 'found-kept', run, kept: describe(header, bytes.length, at) });
      } catch (error) {
        // None that is any good: nothing to offer.
        if (isPanic(error)) throw error;
      }
    }
  }

  /** A kept run, and its own text if it has one. */
  async read(run: string): Promise<{ bytes: Uint8Array; header: Header; at: number; text: File | null }> {
    const file = await current(weightsName(run));
    if (!file)
      throw new Error(
        'The weights of this run are not in this browser any more. Train it anew, or load a file.',
      );
    const bytes = new Uint8Array(await file.arrayBuffer());
    const header = this.header(bytes);
    return {
      bytes,
      header,
      at: file.lastModified,
      text: isOwn(header.config) ? await current(textName(run, header.text)) : null,
    };
  }

  /** Removes what is kept of a run. */
  forget(run: string): Promise<void> {
    return discardWeights(run);
  }
}

const describe = ({ config, step }: Header, bytes: number, at: number): Kept => ({
  step,
  steps: Number(getKnown(config, 'training.steps')),
  bytes,
  at,
});
