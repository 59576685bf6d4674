// In what runs must be alike for a figure of theirs to be compared, how that is seen, and what is said where they are not.

import { getKnown } from '../config/values';
import { count, figures } from '../format';
import type { StoredRun } from '../store/types';
import { deviceWords, effective, type Fields, nameOf, valueWords } from './names';

export type Likeness = 'text' | 'tokenizer' | 'tasks' | 'items' | 'device';

/** By name; names with a dot are paths of options. */
type Facts = Record<string, unknown>;

type Kind = {
  facts: (run: StoredRun, fields: Fields) => Facts;
  /** Why it matters, as a sentence. */
  why: string;
  advice: string;
};

/** The options of a section, but those that do not matter as the others stand. */
const section = ({ config }: StoredRun, name: string, fields: Fields): Facts =>
  Object.fromEntries(
    Object.keys(config[name] ?? {}).map((field) => {
      const path = `${name}.${field}`;
      return [path, effective(config, path, fields)];
    }),
  );

/** The held-out bytes tell own texts apart, whatever their tokenizers are. */
const heldOutBytes = ({ plan }: StoredRun): number => Math.round(plan.held_out_tokens * plan.bytes_per_token);

const text: Kind['facts'] = (run, fields) => ({
  ...section(run, 'data', fields),
  'evaluation.bytes': getKnown(run.config, 'evaluation.bytes'),
  // What the last validation reads.
  'evaluation.final_bytes': getKnown(run.config, 'evaluation.final_bytes'),
  'evaluation.context': getKnown(run.config, 'evaluation.context'),
  'held-out bytes': heldOutBytes(run),
});

/** How often they are asked, and which tasks there are besides, changes no item. */
const items: Kind['facts'] = (run, fields) => {
  const { 'downstream.every': _, 'downstream.tasks': __, ...others } = section(run, 'downstream', fields);
  return others;
};

const KINDS: Record<Likeness, Kind> = {
  text: {
    facts: text,
    why: 'These runs were not held against the same bytes, and one text is easier to predict than another.',
    advice: 'Compare runs on one text.',
  },
  tokenizer: {
    facts: (run) => ({
      'tokenizer.kind': getKnown(run.config, 'tokenizer.kind'),
      vocabulary: run.plan.vocabulary,
      // Two files, or one kind learned from two texts, show in how far a token reaches.
      'bytes a token': Number(run.plan.bytes_per_token.toPrecision(9)),
    }),
    why: 'These runs have different tokenizers, and a token is another stretch of text in each.',
    advice: 'Bits per byte and downstream accuracy can be compared.',
  },
  // Own tasks are known by how many there are.
  tasks: {
    facts: (run, fields) => ({
      ...items(run, fields),
      tasks: run.scores.at(-1)?.tasks.map(({ task, items }) => `${task} (${items} items)`) ?? null,
    }),
    why: 'These runs did not answer the same questions.',
    advice: 'Compare single tasks, or runs with the same tasks and items.',
  },
  items: {
    facts: items,
    why: 'These runs did not answer the same questions.',
    advice: 'Compare runs with the same items.',
  },
  device: {
    facts: (run) => ({ device: deviceWords(run) }),
    why: 'These runs were not made on the same device.',
    advice: 'Compare runs of one device.',
  },
};

export const likenessKey = (likeness: Likeness, run: StoredRun, fields: Fields): string =>
  JSON.stringify(KINDS[likeness].facts(run, fields));

/** Runs that are alike among them. */
export type Kin = { key: string; words: string; runs: StoredRun[] };

export type Unlike = { likeness: Likeness; why: string; advice: string; kins: Kin[] };

/** The first of these in which the runs are not all alike, and how they fall apart. */
export function unlike(demanded: Likeness[], runs: StoredRun[], fields: Fields): Unlike | null {
  for (const likeness of demanded) {
    const kins = new Map<string, StoredRun[]>();
    for (const run of runs) {
      const key = likenessKey(likeness, run, fields);
      kins.set(key, [...(kins.get(key) ?? []), run]);
    }
    if (kins.size < 2) continue;
    const { why, advice } = KINDS[likeness];
    return {
      likeness,
      why,
      advice,
      kins: [...kins].map(([key, runs]) => ({
        key,
        runs,
        words: differing(likeness, key, [...kins.keys()], fields),
      })),
    };
  }
  return null;
}

/** Of the facts, those in which they differ. */
function differing(likeness: Likeness, key: string, all: string[], fields: Fields): string {
  const facts: Facts = JSON.parse(key);
  const others = all.map((other): Facts => JSON.parse(other));
  return (
    Object.entries(facts)
      .filter(([name, value]) =>
        others.some((other) => JSON.stringify(other[name]) !== JSON.stringify(value)),
      )
      // How far a token reaches is told only where nothing else tells them apart.
      .filter(([name], _, left) => likeness !== 'tokenizer' || name !== 'bytes a token' || left.length === 1)
      .map(([name, value]) => factWords(name, value, fields))
      .join(', ')
  );
}

function factWords(name: string, value: unknown, fields: Fields): string {
  const field = fields.get(name);
  if (field?.kind === 'choice') return valueWords(field, value as string);
  if (name === 'device') return String(value);
  const words =
    typeof value === 'number' && !field ? (Number.isInteger(value) ? count(value) : figures(value)) : null;
  return `${nameOf(fields, name)} ${words ?? valueWords(field, (value ?? null) as string)}`;
}
