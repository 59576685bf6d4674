// Reading and changing one value of a config by its path, `section.name`. Configs are never changed in place.

import type { Config as Known } from '../generated/config';
import type { Config, Field, Section, Value } from './schema';

/** A setting that the page itself knows by name; one that the core renames is then a type error. */
export type KnownPath = {
  [S in keyof Known & string]: `${S}.${keyof Required<Known>[S] & string}`;
}[keyof Known & string];

export const getKnown = (config: Config, path: KnownPath): Value => get(config, path);

export const setKnown = (config: Config, path: KnownPath, value: Value): Config => set(config, path, value);

/** Lists by their items. */
export const same = (one: Value, other: Value): boolean =>
  Array.isArray(one) && Array.isArray(other) ? one.join() === other.join() : one === other;

export function get(config: Config, path: string): Value {
  const [section = '', name = ''] = path.split('.');
  return config[section]?.[name] ?? null;
}

export function has(config: Config, path: string): boolean {
  const [section = '', name = ''] = path.split('.');
  return config[section]?.[name] !== undefined;
}

export function set(config: Config, path: string, value: Value): Config {
  const [section = '', name = ''] = path.split('.');
  return { ...config, [section]: { ...config[section], [name]: value } };
}

/** The defaults that come with the choices of a config. */
export function usual(config: Config, defaults: Config, sections: Section[]): Config {
  let result = defaults;
  for (const { name, dependent } of sections) {
    const choice = dependent && get(config, dependent.path);
    const values = dependent?.values[String(choice)];
    // What the core would refuse has no defaults of its own.
    if (dependent && values) result = { ...result, [name]: { ...result[name], ...values } };
  }
  return result;
}

/** Sets a value. Where defaults depend on it, settings that are at theirs follow. */
export function choose(
  config: Config,
  path: string,
  value: Value,
  defaults: Config,
  sections: Section[],
): Config {
  const chosen = set(config, path, value);
  const dependent = sections.find((section) => section.dependent?.path === path);
  if (!dependent) return chosen;
  const before = usual(config, defaults, sections);
  const after = usual(chosen, defaults, sections);
  return dependent.fields
    .filter((field) => field.path !== path && same(get(config, field.path), get(before, field.path)))
    .reduce((moved, field) => set(moved, field.path, get(after, field.path)), chosen);
}

/** Paths of the settings in which they differ. */
export const differences = (one: Config, other: Config, sections: Section[]): string[] =>
  sections
    .flatMap(({ fields }) => fields.map(({ path }) => path))
    .filter((path) => !same(get(one, path), get(other, path)));

/** Whether a setting changes anything, as the others stand. */
export const matters = (field: Field, config: Config): boolean =>
  field.when.every(([path, values]) => values.includes(get(config, path)));
