// What the core finds out about a model's use of its context. Types, no code.

/**
 * A figure for each bucket of positions (1, 2, 3–4, 5–8, …): how many tokens a token has before it in its window. Those of
 * a single window have no standard error: NaN or null.
 */
export type ByPosition = {
  /** The last position of each bucket. */
  last: number[];
  /** Tokens scored. */
  tokens: number[];
  /** Nats per token. */
  loss: number[];
  loss_standard_error: number[];
  bits_per_byte: number[];
  standard_error: number[];
  /** By how many bits per byte each bucket is better than the one before; one fewer than buckets. */
  gain: number[];
  gain_standard_error: number[];
};

/** How well the held-out text is predicted in pieces of so many tokens; `reason`: why there are no figures. */
export type LengthLoss = {
  length: number;
  reason: string | null;
  tokens: number;
  bytes: number;
  loss: number | null;
  bits_per_byte: number | null;
  standard_error: number | null;
  by_position: ByPosition;
};

/** Random tokens, told twice: nats per token the first and the second time, by the length of what is repeated. */
export type Induction = {
  step: number;
  /** A uniform guess's. */
  uniform: number;
  by_distance: {
    distance: number;
    sequences: number;
    first: number;
    second: number;
    gain: number;
    /** Of the gain. */
    standard_error: number;
  }[];
};

/** Where a head looks, on average over the tokens of a text that look. */
export type HeadFigures = {
  /** Both counted from 0. */
  layer: number;
  head: number;
  /** In tokens back. */
  distance: number;
  /** What the first token, the one before and the token itself get of all attention. */
  on_first: number;
  on_previous: number;
  on_itself: number;
};

export type Attention = {
  step: number;
  tokens: string[];
  /** Tokens of the text that did not fit. */
  left_out: number;
  layers: number;
  heads: number;
  /** (layers, heads, tokens, tokens): what each token of a row gets of that row's attention. */
  weights: Float32Array;
  /** Layer by layer. */
  figures: HeadFigures[];
  /** The distance of a head that attends to all tokens alike. */
  uniform_distance: number;
};

/** What is asked of a model that is paused or done. */
export type Question = { what: 'lengths' } | { what: 'induction' } | { what: 'attention'; prompt: string };

export type What = Question['what'];

export type Found =
  | { what: 'lengths'; lengths: LengthLoss[] }
  | { what: 'induction'; induction: Induction }
  | { what: 'attention'; prompt: string; attention: Attention };
