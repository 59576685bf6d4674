// The tokenizers' worker: trains, loads and encodes. The only file that imports their package, which is so large that
// it comes only when it is needed.

import { explain, isPanic } from '../errors';
import init, { load, type Subword, train } from '../pkg-tokenizers/trainlab.js';
import type { Answer, Loaded, Origin, Progress, Request, Tokens, Work, Works } from './messages';

type Parts = {
  train: Uint32Array;
  held_out: Uint32Array;
  covered?: Uint32Array;
  train_covered?: Uint32Array;
  of: object;
};

/** At most one report in so many milliseconds. */
const REPORT_MS = 50;

let ready: Promise<unknown> | null = null;
/** The tokenizer that was used last: loading one of a large vocabulary takes a moment. */
let last: { json: string; subword: Subword } | null = null;

const post = (answer: Answer, transfer: Transferable[] = []): void => self.postMessage(answer, { transfer });

self.addEventListener('message', async ({ data }: MessageEvent<Request>) => {
  const { id } = data;
  let reported = Number.NEGATIVE_INFINITY;
  let stage = '';
  const progress: Progress = (now, share) => {
    if (now === stage && performance.now() - reported < REPORT_MS) return;
    reported = performance.now();
    stage = now;
    post({ id, type: 'progress', stage: now, share });
  };
  try {
    if (!ready) progress('loading', null);
    ready ??= init();
    await ready;
  } catch (error) {
    post({ id, type: 'broken', message: `The tokenizers did not load: ${explain(error).message}` });
    return;
  }
  try {
    const given = works[data.work](data.asked as never, progress);
    post({ id, type: 'given', given }, buffers(given));
  } catch (error) {
    const { message, problems } = explain(error);
    // After a panic the package's memory cannot be trusted.
    if (isPanic(error)) post({ id, type: 'broken', message: `The tokenizer broke down: ${message}` });
    else post({ id, type: 'refused', message, problems });
  }
});

const works: { [W in Work]: (asked: Works[W]['asked'], progress: Progress) => Works[W]['given'] } = {
  prepare({ origin, text, heldOutFraction }, progress) {
    const subword = get(origin, text, progress);
    const report = (share: number) => progress('encoding', share);
    const parts = subword.encode_parts(text, heldOutFraction, report) as Parts;
    return {
      ...describe(subword),
      byteComplete: subword.byte_complete(),
      lengths: subword.token_lengths(),
      bytes: subword.token_bytes(),
      train: parts.train,
      heldOut: parts.held_out,
      covered: parts.covered,
      trainCovered: parts.train_covered,
      of: parts.of,
    } as Tokens;
  },
  load({ file }) {
    return describe(keep(load(new Uint8Array(file))));
  },
  encode({ json, text }) {
    return loaded(json).encode(text) as Uint32Array<ArrayBuffer>;
  },
  encodeAll({ json, texts }) {
    const each = texts.map((text) => loaded(json).encode(text));
    const tokens = new Uint32Array(each.reduce((sum, { length }) => sum + length, 0));
    let end = 0;
    for (const some of each) {
      tokens.set(some, end);
      end += some.length;
    }
    return { tokens, lengths: Uint32Array.from(each, ({ length }) => length) };
  },
};

function get(origin: Origin, text: string, progress: Progress): Subword {
  if ('json' in origin) return loaded(origin.json);
  const { kind, vocabulary } = origin;
  return keep(train(kind, vocabulary, text, (share: number) => progress('training', share)));
}

function loaded(json: string): Subword {
  if (last?.json === json) return last.subword;
  return keep(load(new TextEncoder().encode(json)));
}

function keep(subword: Subword): Subword {
  last?.subword.free();
  last = { json: subword.json(), subword };
  return subword;
}

const describe = (subword: Subword): Loaded => ({
  json: last && last.subword === subword ? last.json : subword.json(),
  name: subword.name(),
  vocabulary: subword.vocabulary_size(),
});

/** What is large moves instead of being copied. */
function buffers(given: Works[Work]['given']): Transferable[] {
  const values = given instanceof Uint32Array ? [given] : Object.values(given);
  return values.flatMap((value) => (ArrayBuffer.isView(value) ? [value.buffer as ArrayBuffer] : []));
}
