// A chart's frame in SVG: axes with ticks, units and a grid.

import type { ComponentChildren } from 'preact';
import { tickText } from '../charts/ticks';
import { type Scale, ticks } from './scale';

/** In CSS pixels. */
const MARGIN = { left: 64, right: 18, top: 12, bottom: 46 };
/** That a tick's text takes. */
const ACROSS = 78;
const UPWARDS = 44;

/** `ticks`: where round numbers are others than usual. */
export type Axis = { scale: Scale; label: string; ticks?: number[] };

export type Places = { x: (value: number) => number; y: (value: number) => number };

type Props = {
  width: number;
  height: number;
  x: Axis;
  y: Axis;
  children: (places: Places) => ComponentChildren;
};

/** Every so many of those that are given, the last one among them. */
function acrossTicks({ scale, ticks: given }: Axis, most: number): number[] {
  if (!given) return ticks(scale, most);
  const stride = Math.ceil(given.length / most);
  return given.filter((_, i) => (given.length - 1 - i) % stride === 0);
}

export function Frame({ width, height, x, y, children }: Props) {
  const inner = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
  const places: Places = {
    x: (value) => MARGIN.left + inner.width * x.scale.share(value),
    y: (value) => MARGIN.top + inner.height * (1 - y.scale.share(value)),
  };
  const [left, right] = [MARGIN.left, MARGIN.left + inner.width];
  const [top, bottom] = [MARGIN.top, MARGIN.top + inner.height];
  return (
    <>
      <g class="grid">
        {acrossTicks(x, Math.max(Math.floor(inner.width / ACROSS), 2)).map((tick) => (
          <g key={tick}>
            <line x1={places.x(tick)} x2={places.x(tick)} y1={top} y2={bottom + 5} />
            <text x={places.x(tick)} y={bottom + 18} text-anchor="middle">
              {tickText(tick)}
            </text>
          </g>
        ))}
        {ticks(y.scale, Math.max(Math.floor(inner.height / UPWARDS), 2)).map((tick) => (
          <g key={tick}>
            <line x1={left - 5} x2={right} y1={places.y(tick)} y2={places.y(tick)} />
            <text x={left - 8} y={places.y(tick) + 4} text-anchor="end">
              {tickText(tick)}
            </text>
          </g>
        ))}
        <text x={(left + right) / 2} y={bottom + 38} text-anchor="middle">
          {x.label}
        </text>
        <text transform={`translate(14 ${(top + bottom) / 2}) rotate(-90)`} text-anchor="middle">
          {y.label}
        </text>
      </g>
      {children(places)}
    </>
  );
}
