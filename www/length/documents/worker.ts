// How long a text's documents are. Lives in the lab's worker.

import { isPanic } from '../../errors';
import type { Lab } from '../../lab';
import type { Command, Event } from '../../protocol';
import type { Texts } from '../../text/texts';
import { isSubword } from '../../tokenizer/kinds';
import type { Tokenizers } from '../../tokenizer/tokenizers';

/** Says nothing where the text is not there in tokens, or the config is wrong: its plan says why, and the page asks again. */
export function measureLengths(
  { id, config }: Command & { type: 'documents' },
  lab: Lab | null,
  texts: Texts,
  tokenizers: Tokenizers,
  post: (event: Event) => void,
): void {
  const text = texts.at(config);
  const tokens = text && tokenizers.at(config, text);
  if (!lab || !text || (!tokens && isSubword(config))) return;
  try {
    tokenizers.give(lab, tokens);
    post({ type: 'documents', id, config, lengths: lab.document_lengths(config, text.text) });
  } catch (error) {
    if (isPanic(error)) throw error;
  }
}
