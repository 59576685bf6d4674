// All that a run begins with: enough to begin it again where it was last saved, on this device or another.

import type { Config } from '../config/schema';
import { getKnown } from '../config/values';
import { explain, isLoss, isPanic } from '../errors';
import { bytes as inBytes } from '../format';
import type { Header, Lab, Run } from '../lab';
import type { Team } from '../replicas/pool';
import { isOwn, Text, type Texts } from '../text/texts';
import type { Tokens } from '../tokenizer/messages';
import type { Tokenizers } from '../tokenizer/tokenizers';
import type { Keeper } from './keeper';

/** More than any model that a browser can train, and little enough to be read at once. */
const LARGEST = 1024 ** 3;

export type Beginning = {
  /** Its run's id. */
  run: string;
  config: Config;
  text: Text;
  /** The text in the tokens of a tokenizer that the core has not itself. */
  tokens: Tokens | null;
  /** The config's prompt in these tokens. */
  prompt: Uint32Array | null;
  /** Steps done. */
  step: number;
  /** The checkpoint; null for a run that begins at its first step. */
  bytes: Uint8Array | null;
  /** A checkpoint with whose parameters it begins, at its first step. */
  init?: Uint8Array;
  /** The name of a text that may be another than the run was trained on. */
  doubtful?: string;
};

/** What the core reads in a checkpoint: what it says of itself, and the tokenizer that it holds, if it does. */
export type Reader = {
  header(bytes: Uint8Array): Header;
  tokenizer(bytes: Uint8Array): string | undefined;
};

/** Where a run can begin. Whatever is wrong is thrown as an Error that says what to do. */
export class Beginnings {
  private readonly reader: Reader;
  private readonly texts: Texts;
  private readonly tokenizers: Tokenizers;
  private readonly keeper: Keeper;

  constructor(reader: Reader, texts: Texts, tokenizers: Tokenizers, keeper: Keeper) {
    this.reader = reader;
    this.texts = texts;
    this.tokenizers = tokenizers;
    this.keeper = keeper;
  }

  async fresh(run: string, config: Config): Promise<Beginning> {
    const text = await this.texts.load(config);
    return { run, config, text, ...(await this.tokenized(config, text)), step: 0, bytes: null };
  }

  async file(run: string, source: Blob): Promise<Beginning> {
    if (source.size > LARGEST)
      throw new Error(`The file has ${inBytes(source.size)}; at most ${inBytes(LARGEST)} fit.`);
    const bytes = new Uint8Array(await source.arrayBuffer());
    return this.checkpoint(run, this.reader.header(bytes), bytes);
  }

  /** A run that the browser keeps, and the text that was kept beside it. */
  async kept(run: string): Promise<{ beginning: Beginning; text: File | null }> {
    const { bytes, header, text: file } = await this.keeper.read(run);
    if (!file) return { beginning: await this.checkpoint(run, header, bytes), text: file };
    const text = new Text('The text of the kept run', file.size, await file.text());
    return { beginning: await this.goingOn(run, header, bytes, text), text: file };
  }

  /** Where the present run was last saved. */
  last(): Beginning {
    if (!this.keeper.last) throw new Error('There is nothing to go on from. Train a run first.');
    return this.keeper.last;
  }

  private async checkpoint(run: string, header: Header, bytes: Uint8Array): Promise<Beginning> {
    const { config } = header;
    const own = isOwn(config);
    if (own && !this.texts.at(config)) {
      throw new Error(
        'This run was trained on a text of its own, which the file does not contain. ' +
          'Choose or drop that text first, then load the file again.',
      );
    }
    const text = await this.texts.load(config);
    return { ...(await this.goingOn(run, header, bytes, text)), ...(own && { doubtful: text.facts.name }) };
  }

  private async goingOn(
    run: string,
    { config, step }: Header,
    bytes: Uint8Array,
    text: Text,
  ): Promise<Beginning> {
    const json = this.reader.tokenizer(bytes);
    return { run, config, text, ...(await this.tokenized(config, text, json)), step, bytes };
  }

  private async tokenized(config: Config, text: Text, json?: string) {
    const tokens = await this.tokenizers.load(config, text, json);
    const prompt = String(getKnown(config, 'evaluation.prompt'));
    return { tokens, prompt: tokens && (await this.tokenizers.encode(tokens, prompt)) };
  }
}

export async function begin(
  { config, text: { text }, bytes, init, doubtful }: Beginning,
  lab: Lab,
  report: (share: number) => void,
  tasks: string | undefined,
  team: Team | undefined,
): Promise<Run> {
  try {
    if (bytes === null) return await lab.start(config, text, report, tasks, init, team);
    return await lab.resume(config, bytes, text, report, tasks, team);
  } catch (error) {
    if (isPanic(error) || isLoss(error) || doubtful === undefined) throw error;
    // Another text has other tokens, and the core may stumble over these first.
    const advice = `Make sure that ${doubtful} is the text that the run was trained on.`;
    throw new Error(`${explain(error).message} ${advice}`);
  }
}
