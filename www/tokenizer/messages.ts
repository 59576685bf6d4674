// What passes between the lab's worker and those that own the tokenizers' package. Types, no code.

import type { Problem } from '../lab';

/** What is to be trained, or the text of a tokenizer.json that was trained or loaded before. */
export type Origin = { kind: string; vocabulary: number } | { json: string };

/** A tokenizer as a file, in the one form in which it is kept. */
export type Loaded = {
  json: string;
  /** In words, such as “byte-level BPE, 512 tokens”. */
  name: string;
  vocabulary: number;
};

/** A tokenizer, and a text in its tokens. */
export type Tokens = Loaded & {
  /** Decoding what was encoded gives back every text. */
  byteComplete: boolean;
  /** Of all ids: how many bytes each stands for, and these one after the other. */
  lengths: Uint32Array<ArrayBuffer>;
  bytes: Uint8Array<ArrayBuffer>;
  train: Uint32Array<ArrayBuffer>;
  heldOut: Uint32Array<ArrayBuffer>;
  /** Bytes of the text that each held-out token covers, where its length does not say it. */
  covered: Uint32Array<ArrayBuffer> | undefined;
  /** The same of the training part. */
  trainCovered: Uint32Array<ArrayBuffer> | undefined;
  /** What they were made of, for the core to check. */
  of: object;
};

export type Encoded = { tokens: Uint32Array<ArrayBuffer>; lengths: Uint32Array<ArrayBuffer> };

export type Stage = 'loading' | 'training' | 'encoding';

/** `share` is null where it is not known. */
export type Progress = (stage: Stage, share: number | null) => void;

/** What can be asked for, by name: what goes in and what comes out. */
export type Works = {
  /** A tokenizer, and the text cut and encoded as a dataset is. */
  prepare: { asked: { origin: Origin; text: string; heldOutFraction: number }; given: Tokens };
  /** A tokenizer.json or a SentencePiece .model. */
  load: { asked: { file: ArrayBuffer }; given: Loaded };
  encode: { asked: { json: string; text: string }; given: Uint32Array<ArrayBuffer> };
  /** Many texts: their tokens one after the other, and how many each has. */
  encodeAll: { asked: { json: string; texts: string[] }; given: Encoded };
};

export type Work = keyof Works;

export type Request<W extends Work = Work> = { id: number; work: W; asked: Works[W]['asked'] };

export type Answer =
  | { id: number; type: 'progress'; stage: Stage; share: number | null }
  | { id: number; type: 'given'; given: Works[Work]['given'] }
  | { id: number; type: 'refused'; message: string; problems: Problem[] }
  /** The package did not load or broke down: only a new worker helps. */
  | { id: number; type: 'broken'; message: string };
