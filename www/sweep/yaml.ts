// Sweeps as W&B's YAML files. The package is loaded when it is first needed.

import type { Definition } from './types';

/** YAML's older rules, which Python's reader follows, take 1e-8 for a word, and 1.0e-8 for a number. */
const PLAIN_EXPONENT = /^-?\d+e/;

export async function toYaml(definition: Definition): Promise<string> {
  const { stringify } = await import('yaml');
  const small = {
    tag: 'tag:yaml.org,2002:float',
    default: true,
    identify: (value: unknown) => typeof value === 'number' && PLAIN_EXPONENT.test(String(value)),
    test: /^-?\d+e[-+]?\d+$/,
    resolve: Number,
    stringify: ({ value }: { value: unknown }) => String(value).replace('e', '.0e'),
  };
  return stringify(definition, { customTags: (tags) => [small, ...tags], flowCollectionPadding: false });
}

/** What is in the file, for the core to judge. Throws an Error that says where it cannot be read. */
export async function fromYaml(text: string): Promise<unknown> {
  const { parse } = await import('yaml');
  return parse(text);
}
