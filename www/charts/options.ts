// A plot's specification, and what uPlot makes of it.

import type uPlot from 'uplot';
import { type Colour, colour, font } from './palette';
import { scatter } from './scatter';
import type { Table } from './table';
import { logTicks, padded, tickText } from './ticks';
import { type View, X_LABELS } from './view';

/** A plot this wide has room for units beside its lines. */
const ROOMY = 480;

export type Line = {
  label: string;
  colour: Colour;
  /** `points`: raw and faint. `marked`: a line through few, visible points. `edge`: of a band, not drawn itself. */
  style: 'points' | 'line' | 'marked' | 'thin' | 'edge';
  /** In CSS pixels: told apart without colour, too. */
  dash?: number[];
  /** Not in the legend. */
  unnamed?: boolean;
  show: (value: number) => string;
};

export type Spec = {
  id: string;
  title: string;
  yLabel: string;
  height: number;
  logY: boolean;
  fromZero: boolean;
  lines: Line[];
  table: Table;
  /** The same points in the unit that the axis does not show, for the legend. */
  beside?: { table: Table; label: string; reference: number };
  /** A dashed level to compare with. */
  reference: { label: string; value: number; show: (value: number) => string } | null;
  /** What lies between two lines, by their indices. */
  bands?: { high: number; low: number; colour: Colour }[];
  /** Names the lines where there may be others another time: the plot is then made anew. */
  shape?: string;
};

/** `latest` gives the spec as it is when uPlot asks: the options outlive many of them. */
export function options(
  latest: () => Spec,
  view: View,
  width: number,
  moved: (plot: uPlot) => void,
): uPlot.Options {
  const spec = latest();
  const { lines, logY } = spec;
  const logX = view.logX.peek();
  return {
    width,
    height: spec.height,
    legend: { show: false },
    cursor: {
      sync: { key: view.name, scales: ['x', null] },
      drag: { x: true, y: false, setScale: false },
      dataIdx: (plot, line, index) => nearest(plot.data[line] ?? [], index),
      points: { size: 7 },
    },
    scales: {
      x: { time: false, distr: logX ? 3 : 1, range: (_, low, high) => xRange(view, low, high) },
      y: { distr: logY ? 3 : 1, range: (_, low, high) => yRange(latest(), low, high) },
    },
    series: [{}, ...lines.map(seriesFor)],
    ...(spec.bands && { bands: spec.bands.map(bandFor) }),
    axes: [
      axis(X_LABELS[view.xAxis.peek()], logX, { size: 34, labelSize: 22 }),
      axis(spec.yLabel, logY, { size: 58, labelSize: 22 }),
    ],
    hooks: {
      draw: [(plot) => drawReference(plot, latest())],
      setCursor: [moved],
      setSelect: [(plot) => select(plot, view)],
    },
  };
}

function seriesFor(line: Line): uPlot.Series {
  const stroke = colour(line.colour, line.style === 'thin' ? 0.6 : 1);
  const common = { label: line.label, spanGaps: true };
  if (line.style === 'edge') return { ...common, width: 0, points: { show: false } };
  if (line.style === 'points') return { ...common, paths: scatter(stroke), points: { show: false } };
  const points = { show: line.style === 'marked', size: 7, fill: stroke, stroke };
  const width = line.style === 'thin' ? 1 : 2.25;
  return { ...common, stroke, width, points, ...(line.dash && { dash: line.dash }) };
}

const bandFor = ({ high, low, colour: of }: NonNullable<Spec['bands']>[number]): uPlot.Band => ({
  series: [high + 1, low + 1],
  fill: colour(of, 0.16),
});

function axis(label: string, log: boolean, sizes: { size: number; labelSize: number }): uPlot.Axis {
  const ink = colour('muted');
  const line = colour('line');
  return {
    ...sizes,
    label,
    stroke: ink,
    font: font(12),
    labelFont: font(12),
    grid: { stroke: line, width: 1 },
    ticks: { stroke: line, width: 1, size: 5 },
    ...(log ? { splits: logSplits } : {}),
    // Logarithmic axes otherwise hide the labels between powers of ten.
    filter: (_plot, splits) => splits,
    values: (_plot, splits) => splits.map(tickText),
  };
}

/** Pixels that a tick's label needs. */
const ACROSS = 52;
const UPWARDS = 24;

function logSplits(plot: uPlot, axis: number, low: number, high: number): number[] {
  const length = (axis === 0 ? plot.bbox.width : plot.bbox.height) / devicePixelRatio;
  return logTicks(low, high, Math.floor(length / (axis === 0 ? ACROSS : UPWARDS)));
}

function xRange({ zoom, logX }: View, low: number | null, high: number | null): [number, number] {
  const log = logX.peek();
  if (zoom.peek()) return zoom.peek() as [number, number];
  if (low === null || high === null) return log ? [1, 10] : [0, 1];
  if (low === high) return log ? [low / 2, high * 2] : [Math.max(low - 1, 0), high + 1];
  return [low, high];
}

function yRange(spec: Spec, low: number | null, high: number | null): [number, number] {
  const level = spec.reference?.value;
  const lows = [low, level].filter((value) => typeof value === 'number');
  const highs = [high, level].filter((value) => typeof value === 'number');
  const empty = low === null && !spec.logY;
  return padded(Math.min(...lows), Math.max(...highs), spec.logY, spec.fromZero || empty);
}

function drawReference(plot: uPlot, { reference, yLabel }: Spec): void {
  if (!reference) return;
  const { ctx, bbox } = plot;
  const y = Math.round(plot.valToPos(reference.value, 'y', true));
  if (y < bbox.top || y > bbox.top + bbox.height) return;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour('reference');
  ctx.lineWidth = 1.5 * ratio;
  ctx.setLineDash([7 * ratio, 5 * ratio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = font(12 * ratio);
  ctx.textAlign = 'right';
  ctx.textBaseline = 'bottom';
  const unit = bbox.width > ROOMY * ratio ? yLabel : '';
  const text = `${reference.label} ${reference.show(reference.value)} ${unit}`;
  ctx.fillText(text, bbox.left + bbox.width - 6 * ratio, y - 4 * ratio);
  ctx.restore();
}

function select(plot: uPlot, { zoom }: View): void {
  const { left, width } = plot.select;
  if (width < 4) return;
  zoom.value = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')];
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
}

/** The index of the value nearest to `index` where a line has gaps. */
function nearest(column: ArrayLike<number | null | undefined>, index: number): number {
  for (let away = 0; away < column.length; away++) {
    if (column[index - away] != null) return index - away;
    if (column[index + away] != null) return index + away;
  }
  return index;
}
