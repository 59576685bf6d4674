// What options and their values are called, from the schema.

import { type Config, type Field, humanize, type Section, type Value } from '../config/schema';
import { get, matters } from '../config/values';
import { workerWords } from '../device/words';
import { count } from '../format';
import type { StoredRun } from '../store/types';

/** By path. */
export type Fields = Map<string, Field>;

/** Where a name alone would not say what it is of (each of several sections has a kind), its section's goes before it. */
export function fieldsOf(sections: Section[]): Fields {
  const all = sections.flatMap(({ fields }) => fields);
  const vague = ({ label, section }: Field) =>
    section === 'evaluation' ||
    section === 'downstream' ||
    all.filter((other) => other.label === label).length > 1;
  const named = (field: Field): Field =>
    vague(field) ? { ...field, label: `${humanize(field.section)} ${field.label.toLowerCase()}` } : field;
  return new Map(all.map((field) => [field.path, named(field)]));
}

/** One that the schema does not know, as of a run of another version, goes by its path. */
export const nameOf = (fields: Fields, path: string): string => fields.get(path)?.label ?? path;

/** A value as a reader sees it, with its unit. */
export function valueWords(field: Field | undefined, value: Value): string {
  const words = (one: Value): string => {
    if (typeof one === 'boolean') return one ? 'on' : 'off';
    if (typeof one === 'number') return number(one);
    if (one === null) return '–';
    return field?.choices.find((choice) => choice.value === one)?.label ?? (String(one) || '(empty)');
  };
  const text = Array.isArray(value) ? value.map(words).join(', ') || 'none' : words(value);
  return field?.unit && typeof value === 'number' ? `${text} ${field.unit}` : text;
}

const number = (value: number): string =>
  Number.isInteger(value) && Math.abs(value) >= 1000 ? count(value) : String(value).replace('e-', 'e−');

/** The same where it has to tell by itself what it is a value of. */
export function choiceWords(field: Field | undefined, path: string, value: Value): string {
  const words = valueWords(field, value);
  return field?.kind === 'choice' && !Array.isArray(value) && value !== null
    ? words
    : `${field?.label ?? path} ${words}`;
}

/** What a run was made on. */
export const deviceWords = ({ device }: StoredRun): string =>
  `${device.kind.toUpperCase()}, ${device.name}${workerWords(device)}`;

/** What a config does with an option: nothing where, as its others stand, it does not matter. */
export function effective(config: Config, path: string, fields: Fields): Value {
  const field = fields.get(path);
  return field && !matters(field, config) ? null : get(config, path);
}
