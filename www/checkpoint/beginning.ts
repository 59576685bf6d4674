// All that a run begins with: enough to begin it again where it was last saved, on this device or another.

import type { Config } from '../config/schema';
import { explain, isLoss, isPanic } from '../errors';
import { bytes as inBytes } from '../format';
import type { Header, Lab, Run } from '../lab';
import type { Texts } from '../text/texts';
import { isOwn } from '../text/texts';
import type { Keeper } from './keeper';

/** More than any model that a browser can train, and little enough to be read at once. */
const LARGEST = 1024 ** 3;

export type Beginning = {
  config: Config;
  text: string;
  /** Steps done. */
  step: number;
  /** The checkpoint; null for a run that begins at its first step. */
  bytes: Uint8Array | null;
  /** The name of a text that may be another than the run was trained on. */
  doubtful?: string;
};

/** Where a run can begin. Whatever is wrong is thrown as an Error that says what to do. */
export class Beginnings {
  private readonly header: (bytes: Uint8Array) => Header;
  private readonly texts: Texts;
  private readonly keeper: Keeper;

  constructor(header: (bytes: Uint8Array) => Header, texts: Texts, keeper: Keeper) {
    this.header = header;
    this.texts = texts;
    this.keeper = keeper;
  }

  async fresh(config: Config): Promise<Beginning> {
    const { text } = await this.texts.load(config);
    return { config, text, step: 0, bytes: null };
  }

  async file(source: Blob): Promise<Beginning> {
    if (source.size > LARGEST)
      throw new Error(`The file has ${inBytes(source.size)}; at most ${inBytes(LARGEST)} fit.`);
    const bytes = new Uint8Array(await source.arrayBuffer());
    return this.checkpoint(this.header(bytes), bytes);
  }

  /** The run that the browser keeps, and the text that was kept beside it. */
  async kept(): Promise<{ beginning: Beginning; text: File | null }> {
    const { bytes, header, text } = await this.keeper.read();
    if (!text) return { beginning: await this.checkpoint(header, bytes), text };
    const { config, step } = header;
    return { beginning: { config, text: await text.text(), step, bytes }, text };
  }

  /** Where the present run was last saved. */
  last(): Beginning {
    if (!this.keeper.last) throw new Error('There is nothing to go on from. Train a run first.');
    return this.keeper.last;
  }

  private async checkpoint({ config, step }: Header, bytes: Uint8Array): Promise<Beginning> {
    const own = isOwn(config);
    if (own && !this.texts.at(config)) {
      throw new Error(
        'This run was trained on a text of its own, which the file does not contain. ' +
          'Choose or drop that text first, then load the file again.',
      );
    }
    const { text, facts } = await this.texts.load(config);
    return { config, text, step, bytes, ...(own && { doubtful: facts.name }) };
  }
}

export async function begin(
  { config, text, bytes, doubtful }: Beginning,
  lab: Lab,
  report: (share: number) => void,
): Promise<Run> {
  try {
    if (bytes === null) return await lab.start(config, text, report);
    return await lab.resume(config, bytes, text, report);
  } catch (error) {
    if (isPanic(error) || isLoss(error) || doubtful === undefined) throw error;
    // Another text has other tokens, and the core may stumble over these first.
    const advice = `Make sure that ${doubtful} is the text that the run was trained on.`;
    throw new Error(`${explain(error).message} ${advice}`);
  }
}
