// The config in the URL's fragment: `#model.layers=2&training.steps=500`, only what differs from the defaults. Those of
// some settings depend on others, such as the learning rate's on the optimizer.

import type { Problem } from '../lab';
import type { Config, Field, Section, Value } from './schema';
import { choose, differences, get } from './values';

/** `usual`: the defaults that come with the config's choices. */
export function writeFragment(config: Config, usual: Config, sections: Section[]): string {
  const pairs = differences(config, usual, sections).map((path) => `${path}=${encode(get(config, path))}`);
  return pairs.length > 0 ? `#${pairs.join('&')}` : '';
}

/** Spaces are `+`, as in a query: links stay readable in a chat window. */
function encode(value: Value): string {
  return encodeURIComponent(String(value)).replaceAll('%20', '+').replaceAll('%2C', ',');
}

/** Never throws: what cannot be read is a problem, and its field keeps the default. */
export function readFragment(
  fragment: string,
  defaults: Config,
  sections: Section[],
): { config: Config; problems: Problem[] } {
  const fields = sections.flatMap((section) => section.fields);
  const problems: Problem[] = [];
  let config = defaults;
  const pairs = fragment.replace(/^#/, '').split('&').filter(Boolean);
  const assignments = pairs.map((pair) => ({ pair, parts: pair.split('=') }));
  // What defaults depend on comes first, wherever it stands: what else the link sets stays as it is.
  const isDecisive = (path = '') => sections.some(({ dependent }) => dependent?.path === path);
  assignments.sort((one, other) => Number(isDecisive(other.parts[0])) - Number(isDecisive(one.parts[0])));
  for (const { pair, parts } of assignments) {
    const [path = '', ...rest] = parts;
    const field = fields.find((candidate) => candidate.path === path);
    const text = decode(rest.join('='));
    if (!field) {
      problems.push({
        field: path,
        value: text ?? pair,
        allowed: 'the names of settings, such as training.steps',
        advice: 'Check the link; this part of it was ignored.',
      });
    } else if (text === null) {
      problems.push({
        field: path,
        value: rest.join('='),
        allowed: 'percent-encoded UTF-8',
        advice: 'Copy the link again; the default is used instead.',
      });
    } else {
      config = choose(config, path, parse(field, text), defaults, sections);
    }
  }
  return { config, problems };
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return null;
  }
}

/** Text to value by the field's kind. What is no such value stays text, for the core to refuse. */
export function parse(field: Field, text: string): Value {
  if (field.nullable && (text === '' || text === 'null')) return null;
  if (field.kind === 'switch') return text === 'true' ? true : text === 'false' ? false : text;
  if (field.kind === 'integer' || field.kind === 'number') {
    // Thousands separators and spaces are read as they are meant.
    const number = Number(text.replaceAll(/[\s_]|,(?=\d{3}\b)/g, ''));
    return text.trim() !== '' && Number.isFinite(number) ? number : text;
  }
  if (field.kind === 'list') return text === '' ? [] : text.split(',').map((item) => item.trim());
  if (field.kind === 'choice')
    return field.choices.find((choice) => String(choice.value) === text)?.value ?? text;
  return text;
}
