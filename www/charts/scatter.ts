// Raw points. Every one is drawn; those that fall on the same pixel are drawn once, so that
// a hundred thousand cost no more than the pixels they cover.

import type uPlot from 'uplot';

const ALPHA = 0.32;
/** Few points are drawn larger. */
const sizeFor = (points: number): number => (points < 200 ? 4 : points < 2000 ? 3 : 2);

/** From this size on the eye tells a disc from a square. */
const ROUND = 3;

function disc(ctx: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fill();
}

/** In place of uPlot's path builder for a series: draws at once and leaves no path. */
export function scatter(colour: string): uPlot.Series.PathBuilder {
  return (plot, line, from, to) => {
    const { ctx, bbox } = plot;
    const xs = plot.data[0];
    const ys = plot.data[line] ?? [];
    const size = sizeFor(to - from) * devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.fillStyle = colour;
    ctx.globalAlpha = ALPHA;
    let column = Number.NaN;
    const taken = new Set<number>();
    for (let i = from; i <= to; i++) {
      const value = ys[i];
      const place = xs[i];
      if (value === null || value === undefined || place === undefined) continue;
      const x = Math.round(plot.valToPos(place, 'x', true));
      const y = Math.round(plot.valToPos(value, 'y', true));
      if (x !== column) taken.clear();
      column = x;
      if (taken.has(y)) continue;
      taken.add(y);
      if (size < ROUND * devicePixelRatio) ctx.fillRect(x - size / 2, y - size / 2, size, size);
      else disc(ctx, x, y, size / 2);
    }
    ctx.restore();
    return null;
  };
}
