// Lines over lengths: on a logarithmic axis, a mark for each that was measured, with a file of the picture.

import type { ComponentChildren } from 'preact';
import { Frame } from '../../compare/frame';
import { colourOf, dashOf, markOf } from '../../compare/look';
import { fileName, type Kind, Picture, PictureButtons, SIZE, savePicture } from '../../compare/picture';
import { scaleOf } from '../../compare/scale';
import { useWidth } from '../../compare/width';

const HEIGHT = 300;

export type Line = {
  label: string;
  /** A colour, and a mark that tells it apart without one. */
  look: number;
  points: { x: number; y: number }[];
  /** Not measured: dashed, without marks. */
  law?: boolean;
};

type Axes = {
  y: string;
  logY?: boolean;
  /** Values that the axis reaches in any case, so that charts side by side have the same. */
  around?: number[];
};

type Props = Axes & { id: string; title: string; note: string; lines: Line[]; children?: ComponentChildren };

export function Lines({ id, title, note, lines, children, ...axes }: Props) {
  const [host, width] = useWidth();
  if (lines.every(({ points }) => points.length === 0)) return null;
  const keys = lines.filter(({ law }) => !law).map(({ look, label }) => ({ look, label }));
  const picture = (kind: Kind) =>
    savePicture(
      <Picture title={title} keys={keys} lines={false} note={note}>
        <Plane {...SIZE} {...axes} lines={lines} />
      </Picture>,
      fileName(title),
      kind,
    );
  return (
    <section class="cost-chart" aria-labelledby={`${id}-title`} data-testid={id}>
      <div class="panel-head">
        <h3 id={`${id}-title`}>{title}</h3>
        <PictureButtons testid={id} press={picture} />
      </div>
      <div ref={host} class="plane">
        {width > 0 && (
          <svg class="figure" width={width} height={HEIGHT} role="img" aria-label={title}>
            <Plane width={width} height={HEIGHT} {...axes} lines={lines} />
          </svg>
        )}
        <ul class="legend groups-legend">
          {keys.map(({ look, label }) => (
            <li key={label} class={colourOf(look)}>
              <svg class={`swatch ${colourOf(look)}`} viewBox="-1.6 -1.6 3.2 3.2" aria-hidden="true">
                <path d={markOf(look)} />
              </svg>
              {label}
            </li>
          ))}
        </ul>
      </div>
      <p class="help">{note}</p>
      {children}
    </section>
  );
}

type PlaneProps = Axes & { width: number; height: number; lines: Line[] };

function Plane({ width, height, y, logY = false, around = [], lines }: PlaneProps) {
  const points = lines.flatMap((line) => line.points);
  const xs = scaleOf(
    points.map(({ x }) => x),
    true,
  );
  const ys = scaleOf([...points.map(({ y }) => y), ...around], logY);
  return (
    <Frame
      width={width}
      height={height}
      x={{ scale: xs, label: 'Context, tokens' }}
      y={{ scale: ys, label: y }}
    >
      {(places) =>
        lines.map(({ label, look, law, points }) => {
          const at = points.map(({ x, y }) => [places.x(x), places.y(y)] as const);
          return (
            <g key={`${label} ${law}`} class={`mark ${colourOf(look)}`} data-testid="line" data-law={law}>
              <path
                class={law ? 'strand thin' : 'strand'}
                d={at.length > 0 ? `M${at.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L')}` : ''}
                stroke-dasharray={law ? '5 4' : dashOf(look).join(' ') || undefined}
              />
              {!law &&
                at.map(([x, y]) => (
                  <path key={x} class="dot" d={markOf(look)} transform={`translate(${x} ${y}) scale(4.5)`} />
                ))}
            </g>
          );
        })
      }
    </Frame>
  );
}
