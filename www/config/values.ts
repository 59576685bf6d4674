// Reading and changing one value of a config by its path, `section.name`. Configs are never changed in place.

import type { Config as Known } from '../generated/config';
import type { Config, Value } from './schema';

/** A setting that the page itself knows by name; one that the core renames is then a type error. */
export type KnownPath = {
  [S in keyof Known & string]: `${S}.${keyof Required<Known>[S] & string}`;
}[keyof Known & string];

export const getKnown = (config: Config, path: KnownPath): Value => get(config, path);

export const setKnown = (config: Config, path: KnownPath, value: Value): Config => set(config, path, value);

export function get(config: Config, path: string): Value {
  const [section = '', name = ''] = path.split('.');
  return config[section]?.[name] ?? null;
}

export function set(config: Config, path: string, value: Value): Config {
  const [section = '', name = ''] = path.split('.');
  return { ...config, [section]: { ...config[section], [name]: value } };
}
