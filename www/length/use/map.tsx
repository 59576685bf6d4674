// One head's weights as a map: a row for each token that looks, a column for each that it looks at.

import { useEffect, useRef, useState } from 'preact/hooks';
import { colour } from '../../charts/palette';
import { useWidth } from '../../compare/width';
import { percent } from '../../format';
import { repaint } from '../../shell/scheme';
import type { Attention } from './types';

const WIDEST = 520;
/** Tokens that a row's words name. */
const NAMED = 3;

type Props = { attention: Attention; index: number; name: string };
type At = { query: number; key: number };

export function AttentionMap({ attention, index, name }: Props) {
  const count = attention.tokens.length;
  const weights = attention.weights.subarray(index * count * count, (index + 1) * count * count);
  const [host, width] = useWidth();
  const size = Math.max(Math.min(width, WIDEST), 1);
  const [at, point] = useState<At | null>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { value: colours } = repaint;
  useEffect(() => {
    if (canvas.current) draw(canvas.current, weights, count, size, at);
  }, [weights, count, size, at, colours]);
  const place = (event: MouseEvent) => {
    const box = canvas.current?.getBoundingClientRect();
    if (!box) return;
    const cell = (from: number, to: number) => Math.floor(((from - to) / box.width) * count);
    const clamp = (value: number) => Math.min(Math.max(value, 0), count - 1);
    point({ query: clamp(cell(event.clientY, box.top)), key: clamp(cell(event.clientX, box.left)) });
  };
  const move = (event: KeyboardEvent) => {
    const next = moved(at ?? { query: count - 1, key: count - 1 }, event.key, count);
    if (!next) return;
    event.preventDefault();
    point(next);
  };
  return (
    <figure class="use-map" data-testid="use-map">
      <figcaption>
        {name}: down, the token that looks; across, the tokens up to it. The stronger the colour, the more of
        its attention.
      </figcaption>
      <div ref={host}>
        <canvas
          ref={canvas}
          tabIndex={0}
          role="img"
          aria-label={`${name}, ${count} tokens. Arrow keys move from token to token.`}
          aria-describedby="use-map-said"
          style={{ width: `${size}px`, height: `${size}px` }}
          onMouseMove={place}
          onMouseLeave={() => point(null)}
          onKeyDown={move}
          data-testid="use-map-canvas"
        />
      </div>
      <p id="use-map-said" class="use-map-said" role="status" data-testid="use-map-said">
        {at ? words(attention, weights, at) : 'Point at a place, or use the arrow keys.'}
      </p>
    </figure>
  );
}

/** Where an arrow key leads; null for any other. A token looks at none after itself. */
function moved({ query, key }: At, name: string, count: number): At | null {
  const to = (query: number, key: number): At => {
    const row = Math.min(Math.max(query, 0), count - 1);
    return { query: row, key: Math.min(Math.max(key, 0), row) };
  };
  switch (name) {
    case 'ArrowUp':
      return to(query - 1, key);
    case 'ArrowDown':
      return to(query + 1, key);
    case 'ArrowLeft':
      return to(query, key - 1);
    case 'ArrowRight':
      return to(query, key + 1);
    case 'Home':
      return to(query, 0);
    case 'End':
      return to(query, query);
    default:
      return null;
  }
}

const shown = (token: string | undefined): string => `“${(token ?? '').replaceAll('\n', '↵')}”`;

function words({ tokens }: Attention, weights: Float32Array, { query, key }: At): string {
  const row = [...weights.subarray(query * tokens.length, query * tokens.length + query + 1)];
  const looks = `${shown(tokens[query])} (token ${query + 1})`;
  const most = row
    .map((weight, i) => ({ weight, i }))
    .sort((one, other) => other.weight - one.weight)
    .slice(0, NAMED)
    .map(({ weight, i }) => `${shown(tokens[i])} (${i + 1}) ${percent(weight)}`);
  const all = `Most: ${most.join(', ')}.`;
  if (key > query) return `${looks} does not see what comes after it. ${all}`;
  return `${looks} gives ${shown(tokens[key])} (token ${key + 1}), ${query - key} back, ${percent(row[key] ?? 0)} of its attention. ${all}`;
}

/** Opacity goes with the square root, so that small shares can be seen. */
function draw(
  canvas: HTMLCanvasElement,
  weights: Float32Array,
  count: number,
  size: number,
  at: At | null,
): void {
  const pixels = Math.round(size * devicePixelRatio);
  canvas.width = pixels;
  canvas.height = pixels;
  const context = canvas.getContext('2d');
  if (!context) return;
  const cell = pixels / count;
  context.fillStyle = colour('surface');
  context.fillRect(0, 0, pixels, pixels);
  const rect = (query: number, key: number) => {
    const [x, y] = [Math.floor(key * cell), Math.floor(query * cell)];
    return [x, y, Math.ceil((key + 1) * cell) - x, Math.ceil((query + 1) * cell) - y] as const;
  };
  context.fillStyle = colour('group-0');
  for (let query = 0; query < count; query++) {
    for (let key = 0; key <= query; key++) {
      context.globalAlpha = Math.sqrt(weights[query * count + key] ?? 0);
      context.fillRect(...rect(query, key));
    }
  }
  context.globalAlpha = 1;
  context.strokeStyle = colour('ink');
  if (at) context.strokeRect(...rect(at.query, at.key));
}
