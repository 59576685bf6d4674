// A chart as a file of its own: in the page's colours, with its title and what its marks mean.

import { type ComponentChildren, render } from 'preact';
import { save } from '../charts/save';
import { colourOf, dashOf, markOf } from './look';

/** Of the picture, in CSS pixels. */
export const SIZE = { width: 860, height: 480 };
const TITLE = 40;
const ROW = 20;
/** Pixels of a PNG for each. */
const SHARPNESS = 2;

type Key = { look: number; label: string };

/** `lines`: the key shows lines with their dashes, otherwise marks. */
type Props = { title: string; keys: Key[]; lines: boolean; note: string; children: ComponentChildren };

export function Picture({ title, keys, lines, note, children }: Props) {
  const { width, height } = SIZE;
  const below = TITLE + height;
  const notes = wrapped(note);
  const whole = below + (keys.length + notes.length + 1) * ROW;
  return (
    <svg
      class="figure"
      xmlns="http://www.w3.org/2000/svg"
      width={width}
      height={whole}
      viewBox={`0 0 ${width} ${whole}`}
    >
      <title>{title}</title>
      <rect class="paper" width={width} height={whole} />
      <text class="title" x={16} y={26}>
        {title}
      </text>
      <g transform={`translate(0 ${TITLE})`}>{children}</g>
      {keys.map(({ look, label }, row) => (
        <g key={label} class={`key ${colourOf(look)}`} transform={`translate(78 ${below + row * ROW + 8})`}>
          {lines ? (
            <line x1={-14} x2={14} stroke-dasharray={dashOf(look).join(' ') || undefined} />
          ) : (
            <path d={markOf(look)} transform="scale(5)" />
          )}
          <text x={24} y={4}>
            {label}
          </text>
        </g>
      ))}
      {notes.map((line, row) => (
        <text key={line} class="note" x={64} y={below + (keys.length + row) * ROW + 16}>
          {line}
        </text>
      ))}
    </svg>
  );
}

/** Characters that fit on a line below the chart. */
const LINE = 115;

function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1) ?? ''} ${word}`.trim();
    if (lines.length > 0 && longer.length <= LINE) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** What the page's style sheets say, written into the file. */
const PROPERTIES = [
  'fill',
  'fill-opacity',
  'stroke',
  'stroke-width',
  'stroke-opacity',
  'stroke-dasharray',
  'stroke-linejoin',
  'font-family',
  'font-size',
  'font-weight',
  'text-anchor',
];

function written(picture: ComponentChildren): string {
  const host = document.createElement('div');
  host.className = 'offscreen';
  document.body.append(host);
  render(picture, host);
  const svg = host.querySelector('svg');
  for (const element of svg?.querySelectorAll<SVGElement>('*') ?? []) {
    const style = getComputedStyle(element);
    for (const property of PROPERTIES) element.style.setProperty(property, style.getPropertyValue(property));
  }
  const text = svg ? new XMLSerializer().serializeToString(svg) : '';
  render(null, host);
  host.remove();
  return text;
}

export type Kind = 'svg' | 'png';

export async function savePicture(picture: ComponentChildren, name: string, kind: Kind): Promise<void> {
  const svg = new Blob([written(picture)], { type: 'image/svg+xml' });
  const file = kind === 'svg' ? svg : await drawn(svg);
  if (file) save(file, `${name}.${kind}`);
}

async function drawn(svg: Blob): Promise<Blob | null> {
  const image = new Image();
  image.src = URL.createObjectURL(svg);
  try {
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = image.naturalWidth * SHARPNESS;
    canvas.height = image.naturalHeight * SHARPNESS;
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve) => canvas.toBlob(resolve));
  } finally {
    URL.revokeObjectURL(image.src);
  }
}

/** `Accuracy, cloze` as a part of a file's name. */
export const fileName = (...parts: string[]): string =>
  ['trainlab', ...parts]
    .join('-')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');

export function PictureButtons({ testid, press }: { testid: string; press: (kind: Kind) => void }) {
  return (
    <div class="chart-files">
      {(['png', 'svg'] as const).map((kind) => (
        <button
          key={kind}
          type="button"
          class="quiet"
          onClick={() => press(kind)}
          data-testid={`${testid}-${kind}`}
        >
          Save {kind.toUpperCase()}
        </button>
      ))}
    </div>
  );
}
