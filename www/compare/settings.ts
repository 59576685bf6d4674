// How the visitor looks at a comparison. Kept in this browser by the comparison's name, so that a reload shows the same.

import { useState } from 'preact/hooks';
import type { XAxis } from '../charts/view';
import type { Likeness } from './likeness';

export type ScatterSettings = {
  /** Null: what suits the runs. */
  x: string | null;
  y: string | null;
  size: string | null;
  logX: boolean;
  logY: boolean;
};

/** Alike in this as `key` says; in words for the visitor. */
export type Only = { likeness: Likeness; key: string; words: string };

export type Shown = 'all' | 'results' | 'diverged' | 'unfinished';

export type Settings = {
  /** Paths of options; null: all but the seed that differ. */
  by: string[] | null;
  /** Columns of the table, by measure; null: what suits the runs. */
  columns: string[] | null;
  sort: { by: string; descending: boolean } | null;
  words: string;
  state: Shown;
  /** Count runs that are not done, as they stand. */
  unfinished: boolean;
  /** Only runs that are alike in these. */
  only: Only[];
  /** Groups, by key. */
  hidden: string[];
  /** The measure that the sentence is about; null: the first. */
  subject: string | null;
  curve: { of: string | null; x: XAxis; logX: boolean; logY: boolean; runs: boolean };
  scatters: [ScatterSettings, ScatterSettings];
};

const scatter: ScatterSettings = { x: null, y: null, size: null, logX: false, logY: false };

export const USUAL: Settings = {
  by: null,
  columns: null,
  sort: null,
  words: '',
  state: 'all',
  unfinished: false,
  only: [],
  hidden: [],
  subject: null,
  curve: { of: null, x: 'step', logX: false, logY: false, runs: true },
  scatters: [scatter, scatter],
};

const keyOf = (name: string): string => `trainlab.comparison.${name}`;

/** Whatever lies in the storage, maybe of another version: what does not fit is as usual. */
export function readSettings(text: string | null): Settings {
  const found = record(parse(text));
  const curve = record(found.curve);
  const scatters = list(found.scatters).map(record);
  return {
    by: texts(found.by),
    columns: texts(found.columns),
    sort: sorting(record(found.sort)),
    words: words(found.words) ?? '',
    state: one(STATES, found.state) ?? USUAL.state,
    unfinished: found.unfinished === true,
    only: list(found.only).flatMap((one) => kinship(record(one))),
    hidden: texts(found.hidden) ?? [],
    subject: words(found.subject),
    curve: {
      of: words(curve.of),
      x: one(AXES, curve.x) ?? USUAL.curve.x,
      logX: curve.logX === true,
      logY: curve.logY === true,
      runs: curve.runs !== false,
    },
    scatters: [scattering(scatters[0]), scattering(scatters[1])],
  };
}

function parse(text: string | null): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null;
  }
}

const STATES = ['all', 'results', 'diverged', 'unfinished'] as const;
const AXES = ['step', 'tokens', 'seconds', 'flops'] as const;
const LIKENESSES = ['text', 'tokenizer', 'tasks', 'items', 'device'] as const;

const one = <Choice extends string>(choices: readonly Choice[], found: unknown): Choice | null =>
  choices.find((choice) => choice === found) ?? null;

const record = (found: unknown): Record<string, unknown> =>
  typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : {};

const list = (found: unknown): unknown[] => (Array.isArray(found) ? found : []);

const words = (found: unknown): string | null => (typeof found === 'string' ? found : null);

const texts = (found: unknown): string[] | null =>
  Array.isArray(found) ? found.filter((text) => typeof text === 'string') : null;

function sorting({ by, descending }: Record<string, unknown>): Settings['sort'] {
  return typeof by === 'string' ? { by, descending: descending === true } : null;
}

function kinship(found: Record<string, unknown>): Only[] {
  const likeness = one(LIKENESSES, found.likeness);
  const key = words(found.key);
  return likeness && key !== null ? [{ likeness, key, words: words(found.words) ?? '' }] : [];
}

function scattering(found: Record<string, unknown> = {}): ScatterSettings {
  const { x, y, size, logX, logY } = found;
  return { x: words(x), y: words(y), size: words(size), logX: logX === true, logY: logY === true };
}

/** What is to change, or how, from what it is. */
export type Change = (change: Partial<Settings> | ((before: Settings) => Partial<Settings>)) => void;

export function useSettings(name: string): [Settings, Change] {
  const [settings, set] = useState(() => readSettings(stored(name)));
  const change: Change = (change) =>
    set((before) => {
      const after = { ...before, ...(typeof change === 'function' ? change(before) : change) };
      try {
        localStorage.setItem(keyOf(name), JSON.stringify(after));
      } catch {
        // Storage may be forbidden or full; then it lasts as long as the page.
      }
      return after;
    });
  return [settings, change];
}

function stored(name: string): string | null {
  try {
    return localStorage.getItem(keyOf(name));
  } catch {
    return null;
  }
}
