// A run in few words.

import type { Config } from '../config/schema';
import { differences, get, usual } from '../config/values';
import { defaults, sections } from '../state';

/** What differs from the defaults that come with its choices: `model.layers 2 · optimizer.kind muon`. */
export function changesOf(config: Config): string {
  const usually = usual(config, defaults.value, sections.value);
  const words = differences(config, usually, sections.value).map(
    (path) => `${path} ${short(get(config, path))}`,
  );
  return words.length > 0 ? words.join(' · ') : 'all settings at their defaults';
}

function short(value: unknown): string {
  const text = value === null ? 'none' : String(value);
  return text.length > 30 ? `${text.slice(0, 30)}…` : text;
}
