// The kinds of tokenizers that the page knows by name, as in the config's `tokenizer.kind`. All others are trained.

import type { Config } from '../config/schema';
import { getKnown } from '../config/values';
import type { Config as Known } from '../generated/config';

type Kind = NonNullable<NonNullable<Known['tokenizer']>['kind']>;

/** Those that the lab's core encodes by itself. */
const OWN: Kind[] = ['characters', 'bytes'];
export const FILE: Kind = 'file';

const kind = (config: Config): Kind => getKnown(config, 'tokenizer.kind') as Kind;

/** Whether a text has to be made ready by the tokenizers' package first. */
export const isSubword = (config: Config): boolean => !OWN.includes(kind(config));

export const isFromFile = (config: Config): boolean => kind(config) === FILE;
