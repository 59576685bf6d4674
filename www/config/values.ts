// Reading and changing one value of a config by its path, `section.name`. Configs are never changed in place.

import type { Config as Known } from '../generated/config';
import type { Config, Field, Section, Value } from './schema';

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

/** Paths of the settings in which they differ. */
export const differences = (one: Config, other: Config, sections: Section[]): string[] =>
  sections
    .flatMap(({ fields }) => fields.map(({ path }) => path))
    .filter((path) => get(one, path) !== get(other, path));

/** Whether a setting changes anything, as the others stand. */
export const matters = (field: Field, config: Config): boolean =>
  field.when.every(([path, values]) => values.includes(get(config, path)));
