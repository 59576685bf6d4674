// Which plots there are, and what each shows of a run.

import { meanChance } from '../downstream/words';
import { nats } from '../format';
import type { Plan } from '../lab';
import type { RunRecord } from '../record';
import type { Spec } from './options';
import { cells, measured, merge, positive, type Table } from './table';
import { tickText } from './ticks';
import { logX, logY, smoothing, UNIT_LABELS, type Unit, unit, xAxis } from './view';

/** Heights in CSS pixels. */
const LARGE = 360;
const SMALL = 210;

const rounded = (value: number): string => tickText(Number(value.toPrecision(3)));

export function specs(run: RunRecord | null, plan: Plan | null): { loss: Spec; others: Spec[] } {
  return {
    loss: lossSpec(run, run?.plan ?? plan),
    others: [speedSpec(run), gradientSpec(run), rateSpec(run), ...accuracySpecs(run)],
  };
}

function lossSpec(run: RunRecord | null, plan: Plan | null): Spec {
  const key = unit.value;
  const level = key === 'loss' ? plan?.unigram_loss : plan?.unigram_bits_per_byte;
  return {
    id: 'loss',
    title: 'Loss',
    yLabel: UNIT_LABELS[key],
    height: LARGE,
    logY: logY.value,
    fromZero: false,
    lines: [
      { label: 'each batch', colour: 'train', style: 'points', show: nats },
      { label: 'smoothed', colour: 'train', style: 'line', show: nats },
      { label: 'validation', colour: 'validation', style: 'marked', show: nats },
    ],
    table: run ? lossTable(run, key) : blank(3),
    ...(plan && { beside: beside(run, plan, key === 'loss' ? 'bits_per_byte' : 'loss') }),
    reference: level === undefined ? null : { label: 'unigram entropy', value: level, show: nats },
  };
}

function beside(run: RunRecord | null, plan: Plan, key: Unit): Spec['beside'] {
  return {
    table: run ? lossTable(run, key) : blank(3),
    label: key === 'loss' ? 'nats' : 'bits/byte',
    reference: key === 'loss' ? plan.unigram_loss : plan.unigram_bits_per_byte,
  };
}

function lossTable(run: RunRecord, key: Unit): Table {
  const train = measured(run.train, xAxis.value, key, smoothing.value);
  const held: Table = [cells(run.validation.column(xAxis.value)), cells(run.validation.column(key))];
  return positive(merge(train, held), logX.value, logY.value);
}

function speedSpec(run: RunRecord | null): Spec {
  return small(run, 'tokens_per_second', {
    id: 'speed',
    title: 'Speed',
    yLabel: 'tokens per second',
    colour: 'speed',
    log: false,
  });
}

function gradientSpec(run: RunRecord | null): Spec {
  return small(run, 'grad_norm', {
    id: 'gradient',
    title: 'Gradient norm',
    yLabel: 'norm, before clipping',
    colour: 'gradient',
    log: logY.value,
  });
}

type Small = { id: string; title: string; yLabel: string; colour: 'speed' | 'gradient'; log: boolean };

function small(run: RunRecord | null, key: 'tokens_per_second' | 'grad_norm', of: Small): Spec {
  const table = run ? measured(run.train, xAxis.value, key, smoothing.value) : blank(2);
  return {
    ...of,
    height: SMALL,
    logY: of.log,
    fromZero: !of.log,
    lines: [
      { label: 'each step', colour: of.colour, style: 'points', show: rounded },
      { label: 'smoothed', colour: of.colour, style: 'line', show: rounded },
    ],
    table: positive(table, logX.value, of.log),
    reference: null,
  };
}

function rateSpec(run: RunRecord | null): Spec {
  const table = run
    ? [cells(run.train.column(xAxis.value)), cells(run.train.column('learning_rate'))]
    : blank(1);
  return {
    id: 'rate',
    title: 'Learning rate',
    yLabel: 'learning rate',
    height: SMALL,
    logY: false,
    fromZero: true,
    lines: [{ label: 'each step', colour: 'rate', style: 'line', show: rounded }],
    table: positive(table, logX.value, false),
    reference: null,
  };
}

/** Where downstream tasks were scored: the mean over them. */
function accuracySpecs(run: RunRecord | null): Spec[] {
  const last = run?.scores.at(-1);
  if (!run || !last) return [];
  const table: Table = [
    run.scores.map((scores) => scores[xAxis.value]),
    run.scores.map(({ accuracy }) => accuracy),
  ];
  const spec: Spec = {
    id: 'accuracy',
    title: 'Downstream accuracy',
    yLabel: 'share right, mean over tasks',
    height: SMALL,
    logY: false,
    fromZero: true,
    lines: [{ label: 'tasks', colour: 'accuracy', style: 'marked', show: rounded }],
    table: positive(table, logX.value, false),
    reference: { label: 'chance', value: meanChance(last.tasks), show: rounded },
  };
  return [spec];
}

/** An empty frame, so that the axes and the level to beat are there before the first step. */
const blank = (lines: number): Table => [[1, 10], ...Array.from({ length: lines }, () => [null, null])];
