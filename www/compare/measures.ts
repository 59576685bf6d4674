// The one table of what runs can be compared by: its unit, which way is better, and in what runs must be alike for it.

import { humanize } from '../config/schema';
import { bytes, count, duration, figures, nats, percent, si } from '../format';
import type { Evaluation, Scores } from '../lab';
import type { StoredRun } from '../store/types';
import type { Likeness } from './likeness';

export type Goal = 'minimize' | 'maximize';

export type Measure = {
  id: string;
  label: string;
  /** As it stands after a number. */
  unit: string;
  /** Null where neither way is better. */
  goal: Goal | null;
  /** Of a run as it stands at its end; null where there is none. */
  of: (run: StoredRun) => number | null;
  show: (value: number) => string;
  /** Between runs that are not alike in these it is not compared. */
  needs: Likeness[];
  /** Between runs that are not alike in these it is, and that is said. */
  minds: Likeness[];
};

const last = (column: Float64Array | undefined): number | null => {
  const value = column?.at(-1);
  return value !== undefined && Number.isFinite(value) ? value : null;
};

const held = (key: keyof Evaluation) => (run: StoredRun) => last(run.validation[key]);

function best({ validation }: StoredRun): number | null {
  const finite = validation.bits_per_byte.filter(Number.isFinite);
  return finite.length > 0 ? finite.reduce((least, value) => Math.min(least, value)) : null;
}

/** Over the whole of its training. */
function rate({ train }: StoredRun): number | null {
  const [tokens, seconds] = [last(train.tokens), last(train.seconds)];
  return tokens !== null && seconds ? tokens / seconds : null;
}

const plain: Pick<Measure, 'needs' | 'minds'> = { needs: [], minds: [] };

const MEASURES: Measure[] = [
  {
    id: 'bits_per_byte',
    label: 'Bits per byte',
    unit: 'bits per byte',
    goal: 'minimize',
    of: held('bits_per_byte'),
    show: nats,
    needs: ['text'],
    minds: [],
  },
  {
    id: 'best_bits_per_byte',
    label: 'Best bits per byte',
    unit: 'bits per byte',
    goal: 'minimize',
    of: best,
    show: nats,
    needs: ['text'],
    minds: [],
  },
  {
    id: 'loss',
    label: 'Loss per token',
    unit: 'nats',
    goal: 'minimize',
    of: held('loss'),
    show: nats,
    needs: ['tokenizer', 'text'],
    minds: [],
  },
  {
    id: 'tokens_per_second',
    label: 'Tokens per second',
    unit: 'tokens per second',
    goal: 'maximize',
    of: rate,
    show: si,
    needs: [],
    minds: ['device', 'tokenizer'],
  },
  {
    id: 'bytes_per_second',
    label: 'Bytes per second',
    unit: 'bytes per second',
    goal: 'maximize',
    of: (run) => {
      const tokens = rate(run);
      return tokens === null ? null : tokens * run.plan.bytes_per_token;
    },
    show: si,
    needs: [],
    minds: ['device'],
  },
  {
    id: 'seconds',
    label: 'Training time',
    unit: 'seconds',
    goal: 'minimize',
    of: ({ train }) => last(train.seconds),
    show: duration,
    needs: [],
    minds: ['device'],
  },
  {
    id: 'flops',
    label: 'Training FLOPs',
    unit: 'FLOPs',
    goal: 'minimize',
    of: ({ train }) => last(train.flops),
    show: si,
    ...plain,
  },
  {
    id: 'tokens',
    label: 'Tokens seen',
    unit: 'tokens',
    goal: null,
    of: ({ train }) => last(train.tokens),
    show: si,
    needs: [],
    minds: ['tokenizer'],
  },
  {
    id: 'steps',
    label: 'Steps',
    unit: 'steps',
    goal: null,
    of: ({ train }) => last(train.step),
    show: count,
    ...plain,
  },
  {
    id: 'parameters',
    label: 'Parameters',
    unit: 'parameters',
    goal: 'minimize',
    of: ({ plan }) => plan.parameters,
    show: si,
    ...plain,
  },
  {
    id: 'optimizer_bytes_per_parameter',
    label: 'Optimizer state',
    unit: 'bytes a parameter',
    goal: 'minimize',
    of: ({ plan }) => plan.optimizer_bytes_per_parameter,
    show: figures,
    ...plain,
  },
  {
    id: 'memory',
    label: 'Memory',
    unit: 'bytes',
    goal: 'minimize',
    of: ({ plan }) => plan.bytes.total,
    show: bytes,
    ...plain,
  },
  {
    id: 'vocabulary',
    label: 'Vocabulary',
    unit: 'tokens',
    goal: null,
    of: ({ plan }) => plan.vocabulary,
    show: count,
    ...plain,
  },
];

const ACCURACY: Measure = {
  id: 'accuracy',
  label: 'Downstream accuracy',
  unit: 'of items',
  goal: 'maximize',
  of: ({ scores }) => scores.at(-1)?.accuracy ?? null,
  show: percent,
  needs: ['tasks'],
  minds: [],
};

/** What measures and curves of one task share. */
export const aboutTask = (task: string): Pick<Measure, 'id' | 'label' | 'needs'> => ({
  id: `accuracy.${task}`,
  label: `Accuracy, ${humanize(task).toLowerCase()}`,
  // Of own items the settings say nothing.
  needs: task === 'own' ? ['tasks'] : ['items'],
});

const onTask = (task: string): Measure => ({
  ...ACCURACY,
  ...aboutTask(task),
  of: ({ scores }) => scoreOn(scores.at(-1), task),
});

export const scoreOn = (scores: Scores | undefined, task: string): number | null =>
  scores?.tasks.find((score) => score.task === task)?.accuracy ?? null;

/** The tasks that any of them was scored on. */
export const tasksOf = (runs: StoredRun[]): string[] => [
  ...new Set(runs.flatMap(({ scores }) => scores.at(-1)?.tasks.map(({ task }) => task) ?? [])),
];

/** What these runs can be compared by: bits per byte comes first. */
export function measuresOf(runs: StoredRun[]): Measure[] {
  const scored = runs.some(({ scores }) => scores.length > 0);
  const [first, ...others] = MEASURES;
  const downstream = scored ? [ACCURACY, ...tasksOf(runs).map(onTask)] : [];
  return [...(first ? [first] : []), ...downstream, ...others];
}

/** With its unit, where the label does not say it. */
export const header = ({ label, unit }: Pick<Measure, 'label' | 'unit'>): string =>
  saysUnit({ label, unit }) ? label : `${label} (${unit})`;

export const saysUnit = ({ label, unit }: Pick<Measure, 'label' | 'unit'>): boolean =>
  label.toLowerCase().includes(unit.toLowerCase());
