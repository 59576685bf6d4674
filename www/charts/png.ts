// The charts as one picture, in the colours of the page: titles, legends and all four plots.

import { colour, font } from './palette';
import { save } from './save';
import { runView } from './view';

const GAP = 16;
const TITLE = 34;
const COLUMNS_BELOW = 3;

export function savePng(): void {
  const [large, ...small] = [...runView.plots.values()];
  if (!large) return;
  const ratio = devicePixelRatio;
  const wide = large.plot.ctx.canvas;
  const canvas = document.createElement('canvas');
  const rows = chunks(small, COLUMNS_BELOW);
  const heights = rows.map(
    (row) => Math.max(...row.map(({ plot }) => plot.ctx.canvas.height)) + TITLE * ratio,
  );
  canvas.width = wide.width + 2 * GAP * ratio;
  canvas.height = wide.height + (TITLE + 2 * GAP) * ratio + heights.reduce((sum, height) => sum + height, 0);
  const context = canvas.getContext('2d');
  if (!context) return;
  context.fillStyle = colour('surface');
  context.fillRect(0, 0, canvas.width, canvas.height);

  const place = ({ plot, spec }: (typeof small)[number], x: number, y: number) => {
    context.fillStyle = colour('ink');
    context.font = `600 ${font(14 * ratio)}`;
    context.textBaseline = 'middle';
    context.fillText(spec().title, x + 8 * ratio, y + (TITLE / 2) * ratio);
    let left = x + 24 * ratio + context.measureText(spec().title).width;
    context.font = font(12 * ratio);
    // The small plots have one colour each, and no room for more than their titles.
    for (const line of plot === large.plot ? spec().lines.filter(({ unnamed }) => !unnamed) : []) {
      context.fillStyle = colour(line.colour);
      context.fillText(
        line.style === 'points' ? `· ${line.label}` : `— ${line.label}`,
        left,
        y + (TITLE / 2) * ratio,
      );
      left += context.measureText(`— ${line.label}`).width + 14 * ratio;
    }
    context.drawImage(plot.ctx.canvas, x, y + TITLE * ratio);
  };

  let y = GAP * ratio;
  place(large, GAP * ratio, y);
  y += wide.height + TITLE * ratio;
  for (const [index, row] of rows.entries()) {
    let x = GAP * ratio;
    for (const item of row) {
      place(item, x, y);
      x += item.plot.ctx.canvas.width + GAP * ratio;
    }
    y += heights[index] ?? 0;
  }
  canvas.toBlob((blob) => blob && save(blob, 'trainlab.png'));
}

function chunks<Item>(items: Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, row) =>
    items.slice(row * size, (row + 1) * size),
  );
}
