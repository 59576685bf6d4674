// What a run found out beside its points, as a file has it.

import type { Answer, Candidate } from '../lab';
import type { ByPosition } from '../length/use/types';
import { list, number, numbers, object, orNull, type Reader, text } from './reader';
import type { Findings } from './types';

export const NO_FINDINGS: Findings = { samples: [], positions: null, examples: [] };

/** JSON has null for what is not a number. */
const figure: Reader<number> = (value, at) => orNull(number)(value, at) ?? Number.NaN;
const figures = list(figure, 1000);
const words = text(100_000);

const candidate: Reader<Candidate> = object({ token: number, label: words, probability: number });

const piece = (value: unknown, at: string) => ({
  ...candidate(value, at),
  ...object({ text: words, alternatives: list(candidate, 1000) })(value, at),
});

const sample = (value: unknown, at: string) => ({
  ...numbers('step', 'temperature', 'top_k', 'top_p', 'sample_seed')(value, at),
  ...object({ prompt: words, pieces: list(piece, 100_000) })(value, at),
});

const byPosition: Reader<ByPosition> = object({
  last: figures,
  tokens: figures,
  loss: figures,
  loss_standard_error: figures,
  bits_per_byte: figures,
  standard_error: figures,
  gain: figures,
  gain_standard_error: figures,
});

const answer: Reader<Answer> = object({
  context: words,
  choices: list(words, 1000),
  answer: number,
  distance: orNull(number),
  fact: orNull(number),
  distance_in_tokens: orNull(number),
  log_probabilities: figures,
  chosen: orNull(number),
  chosen_per_byte: orNull(number),
});

export const findings: Reader<Findings> = object({
  samples: list(sample, 100_000),
  positions: orNull(object({ step: number, by: byPosition })),
  examples: list(object({ task: text(200), dropped: number, answers: list(answer, 10_000) }), 100),
});
