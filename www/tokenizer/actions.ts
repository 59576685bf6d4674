// What the visitor can do about tokenizers.

import { send, useTokenizer } from '../client';
import { commit, edit } from '../config/edit';
import type { Event } from '../protocol';
import { config, fileTrouble, tokenizerFile } from '../state';
import { FILE, isFromFile } from './kinds';

/** Dropped, and not yet taken: the settings follow only once it is. */
let dropped = false;

/** Other .json files are texts, unless a tokenizer is what is missing. */
export function isTokenizerFile({ name }: File): boolean {
  if (/\.model$|tokenizer[^/]*\.json$/i.test(name)) return true;
  return isFromFile(config.value) && !tokenizerFile.value && /\.json$/i.test(name);
}

export function dropTokenizer(file: File): void {
  dropped = true;
  fileTrouble.value = null;
  useTokenizer(file, file.name);
}

/** Makes the text ready for the tokenizer of the settings. */
export const prepare = (): void => send({ type: 'prepare', config: config.value });

export const stopTokenizer = (): void => send({ type: 'stop-tokenizer' });

export function followTokenizer(event: Event): void {
  if (!dropped || (event.type !== 'tokenizer-file' && event.type !== 'tokenizer-refused')) return;
  dropped = false;
  if (event.type === 'tokenizer-refused') {
    fileTrouble.value = { title: `${event.name} was not taken as a tokenizer`, message: event.message };
  } else if (!isFromFile(config.value)) {
    edit('tokenizer.kind', FILE);
    commit();
  }
}
