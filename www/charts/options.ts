// A plot's specification, and what uPlot makes of it.

import type uPlot from 'uplot';
import { type Colour, colour, font } from './palette';
import { scatter } from './scatter';
import type { Table } from './table';
import { logTicks, padded, tickText } from './ticks';
import { logX, X_LABELS, xAxis, zoom } from './view';

/** A plot this wide has room for units beside its lines. */
const ROOMY = 480;

export type Line = {
  label: string;
  colour: Colour;
  /** `points`: raw and faint. `marked`: a line through few, visible points. */
  style: 'points' | 'line' | 'marked';
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
};

/** `latest` gives the spec as it is when uPlot asks: the options outlive many of them. */
export function options(latest: () => Spec, width: number, moved: (plot: uPlot) => void): uPlot.Options {
  const spec = latest();
  const { lines, logY } = spec;
  return {
    width,
    height: spec.height,
    legend: { show: false },
    cursor: {
      sync: { key: 'trainlab', scales: ['x', null] },
      drag: { x: true, y: false, setScale: false },
      dataIdx: (plot, line, index) => nearest(plot.data[line] ?? [], index),
      points: { size: 7 },
    },
    scales: {
      x: { time: false, distr: logX.peek() ? 3 : 1, range: (_, low, high) => xRange(low, high) },
      y: { distr: logY ? 3 : 1, range: (_, low, high) => yRange(latest(), low, high) },
    },
    series: [{}, ...lines.map(seriesFor)],
    axes: [
      axis(X_LABELS[xAxis.peek()], logX.peek(), { size: 34, labelSize: 22 }),
      axis(spec.yLabel, logY, { size: 58, labelSize: 22 }),
    ],
    hooks: {
      draw: [(plot) => drawReference(plot, latest())],
      setCursor: [moved],
      setSelect: [select],
    },
  };
}

function seriesFor(line: Line): uPlot.Series {
  const stroke = colour(line.colour);
  const common = { label: line.label, spanGaps: true };
  if (line.style === 'points') return { ...common, paths: scatter(stroke), points: { show: false } };
  const points = { show: line.style === 'marked', size: 7, fill: stroke, stroke };
  return { ...common, stroke, width: 2.25, points };
}

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

function xRange(low: number | null, high: number | null): [number, number] {
  if (zoom.peek()) return zoom.peek() as [number, number];
  if (low === null || high === null) return logX.peek() ? [1, 10] : [0, 1];
  if (low === high) return logX.peek() ? [low / 2, high * 2] : [Math.max(low - 1, 0), high + 1];
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

function select(plot: uPlot): void {
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
