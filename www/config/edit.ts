// The config as the visitor changes it: checked and planned a moment after each change, and put into
// the address once a change is complete, so that Back undoes it and the address is always a good link.

import { askPlan, check } from '../client';
import type { Problem } from '../lab';
import type { Event } from '../protocol';
import {
  config,
  defaults,
  linkProblems,
  noPlan,
  plan,
  problems,
  sections,
  text,
  usual,
  waitsForTokenizer,
} from '../state';
import { readFragment, writeFragment } from './link';
import type { Config, Value } from './schema';
import { choose, get, has, set, usual as usualOf } from './values';

/** Long enough to type a number in. */
const PAUSE_MS = 200;

const CHANGES: Event['type'][] = [
  'device',
  'workers',
  'own-text',
  'tokenizer-file',
  'tokenized',
  'own-tasks',
];

let timer: ReturnType<typeof setTimeout> | undefined;
let asking = 0;
/** The fragment that the form shows, or did before the change that is under way. */
let seen = '';
/** A complete change waits to be put into the address, once it is known to be good. */
let complete = false;

export function edit(path: string, value: Value): void {
  config.value = choose(config.value, path, value, defaults.value, sections.value);
  clearTimeout(timer);
  timer = setTimeout(review, PAUSE_MS);
}

/** The change is complete: focus left the field, or a choice was made. */
export function commit(): void {
  complete = true;
  review();
}

export function reset(path: string): void {
  edit(path, get(usual.value, path));
  commit();
}

export function resetAll(): void {
  config.value = defaults.value;
  commit();
}

export function review(): void {
  clearTimeout(timer);
  asking = askPlan(config.value);
}

export const fragment = (): string => writeFragment(config.value, usual.value, sections.value);

/** Worker events that concern the config. */
export function follow(event: Event): void {
  const arrived = Object.keys(config.value).length > 0;
  // After a restart of the worker the form keeps what is in it.
  if (event.type === 'ready' && !arrived) void arrive();
  // A plan depends on the device, the text and the tokenizer.
  if (CHANGES.includes(event.type) && arrived) review();
  // A checkpoint brings its own settings; Back leads to those before.
  if (event.type === 'started' && event.from !== null && !event.continues) adopt(event.config);
  if ((event.type === 'planned' || event.type === 'unplanned') && event.id === asking) answer(event);
}

/** Takes the settings of a run. One that was made by another version may lack some, or have others. */
export function adopt(loaded: Config): void {
  const known = sections.value.flatMap(({ fields }) => fields.map(({ path }) => path));
  config.value = known
    .filter((path) => has(loaded, path))
    .reduce((settings, path) => set(settings, path, get(loaded, path)), defaults.value);
  linkProblems.value = [];
  commit();
}

function answer(event: Event & { type: 'planned' | 'unplanned' }): void {
  const planned = event.type === 'planned';
  problems.value = planned ? [] : event.problems;
  plan.value = planned ? event.plan : null;
  noPlan.value = planned ? null : event.message;
  waitsForTokenizer.value = !planned && event.waits;
  if (problems.value.length > 0) return;
  text.value = event.text;
  remember();
}

function remember(): void {
  const next = fragment();
  if (complete && next !== location.hash)
    history.pushState(null, '', next || location.pathname + location.search);
  complete = false;
  seen = location.hash;
}

/** Takes the config from the address. What does not fit falls back to its default, and is told. */
export async function arrive(): Promise<void> {
  const hash = location.hash;
  seen = hash;
  // A change whose answer is under way is gone.
  [complete, asking] = [false, 0];
  const link = readFragment(hash, defaults.value, sections.value);
  const refused = await check(link.config);
  let fitting = refused.reduce(fallBack, link.config);
  // Settings that contradict each other may still do so when one of them is back at its default.
  if (refused.length > 0 && (await check(fitting)).length > 0) fitting = defaults.value;
  // Another has come meanwhile, which may have been quicker to check.
  if (seen !== hash) return;
  linkProblems.value = [...link.problems, ...refused];
  config.value = fitting;
  review();
}

function fallBack(fitting: Config, { field }: Problem): Config {
  if (!field.includes('.')) return fitting;
  const value = get(usualOf(fitting, defaults.value, sections.value), field);
  return choose(fitting, field, value, defaults.value, sections.value);
}

addEventListener('popstate', () => {
  // Another view of the same settings, or the same hash typed again: what is being typed stays.
  if (location.hash !== seen) void arrive();
});
