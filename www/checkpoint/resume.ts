// From a checkpoint's bytes to a run that stands where it stood. Throws an Error that says what to do.

import type { Config } from '../config/schema';
import { explain, isPanic } from '../errors';
import { bytes as inBytes } from '../format';
import type { Header, Lab, Plan, Run } from '../lab';
import type { Texts } from '../text/texts';
import { isOwn } from '../text/texts';

/** More than any model that a browser can train, and little enough to be read at once. */
const LARGEST = 1024 ** 3;

export type Resumed = { run: Run; config: Config; step: number; text: string; plan: Plan };

export async function read(source: Blob): Promise<Uint8Array> {
  if (source.size > LARGEST)
    throw new Error(`The file has ${inBytes(source.size)}; at most ${inBytes(LARGEST)} fit.`);
  return new Uint8Array(await source.arrayBuffer());
}

/** `keptText`: the text that was kept beside it; otherwise the config's is taken, or the visitor's own. */
export async function resume(
  { config, step }: Header,
  bytes: Uint8Array,
  keptText: string | null,
  { lab, texts, base, report }: { lab: Lab; texts: Texts; base: string; report: (share: number) => void },
): Promise<Resumed> {
  const present = texts.at(config);
  if (isOwn(config) && keptText === null && !present) {
    throw new Error(
      'This run was trained on a text of its own, which the file does not contain. ' +
        'Choose or drop that text first, then load the file again.',
    );
  }
  const text = keptText ?? (await texts.load(config, base)).text;
  try {
    const plan = lab.plan(config, text);
    return { run: await lab.resume(bytes, text, report), config, step, text, plan };
  } catch (error) {
    if (isPanic(error) || !isOwn(config) || keptText !== null) throw error;
    // Another text has other tokens, and the core may stumble over these first.
    const advice = `Make sure that ${present?.facts.name} is the text that the run was trained on.`;
    throw new Error(`${explain(error).message} ${advice}`);
  }
}
