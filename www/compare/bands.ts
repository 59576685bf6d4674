// Groups as lines: the mean of their runs on a common axis, its 95 % interval as a band, each run thin.

import type { Cell, Table } from '../charts/table';
import type { XAxis } from '../charts/view';
import type { StoredRun } from '../store/types';
import type { Group } from './groups';
import { type Curve, commonAxis, interpolate, pointsOf } from './points';
import { estimate } from './statistics';

/** A group's runs: those that its mean is of, and those that are only drawn, such as diverged ones. */
export type Bundle = { group: Group; counted: StoredRun[]; others: StoredRun[] };

export type Strand = {
  group: Group;
  kind: 'mean' | 'low' | 'high' | 'run';
  /** How many runs a mean is of; a run's name. */
  of: number | string;
  /** It counts in no mean. */
  apart: boolean;
};

export type Bands = {
  /** Columns after the first are the strands' in their order. */
  table: Table;
  strands: Strand[];
};

export function bands(
  bundles: Bundle[],
  curve: Curve,
  x: XAxis,
  view: { logX: boolean; logY: boolean; runs: boolean },
): Bands {
  const read = (runs: StoredRun[]) => runs.map((run) => ({ run, points: pointsOf(run, curve, x) }));
  const drawn = bundles.map(({ group, counted, others }) => ({
    group,
    counted: read(counted),
    others: read(others),
  }));
  const axis = commonAxis(
    drawn.flatMap(({ counted, others }) => [...counted, ...others].map(({ points }) => points)),
    view.logX,
  );
  const table: Table = [axis];
  const strands: Strand[] = [];
  const add = (strand: Strand, column: Cell[]) => {
    strands.push(strand);
    table.push(view.logY ? column.map((y) => (y !== null && y > 0 ? y : null)) : column);
  };
  for (const { group, counted, others } of drawn) {
    const lines = counted
      .filter(({ points }) => points.xs.length > 0)
      .map(({ run, points }) => ({ run, column: interpolate(points, axis) }));
    const rows = meanOf(
      lines.map(({ column }) => column),
      axis.length,
    );
    add(
      { group, kind: 'mean', of: lines.length, apart: false },
      rows.map((row) => row?.mean ?? null),
    );
    if (lines.length > 1) {
      add(
        { group, kind: 'low', of: lines.length, apart: false },
        rows.map((row) => row?.low ?? null),
      );
      add(
        { group, kind: 'high', of: lines.length, apart: false },
        rows.map((row) => row?.high ?? null),
      );
    }
    // A single run is its own mean.
    if (view.runs && lines.length > 1)
      for (const { run, column } of lines) add({ group, kind: 'run', of: run.name, apart: false }, column);
    for (const { run, points } of others)
      add({ group, kind: 'run', of: run.name, apart: true }, interpolate(points, axis));
  }
  return { table, strands };
}

/** Only where all of them are: a mean over some would jump where one begins or ends. */
const meanOf = (columns: Cell[][], length: number) =>
  Array.from({ length }, (_, row) => {
    const values = columns.map((column) => column[row] ?? null).filter((value) => value !== null);
    return columns.length > 0 && values.length === columns.length ? estimate(values) : null;
  });
