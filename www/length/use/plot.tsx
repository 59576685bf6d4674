// A plot over lengths in tokens, which double: points with their standard errors, joined by lines.

import { useMemo } from 'preact/hooks';
import { Frame } from '../../compare/frame';
import { colourOf, dashOf, markOf } from '../../compare/look';
import { fileName, type Kind, Picture, PictureButtons, SIZE, savePicture } from '../../compare/picture';
import { between, scaleOf } from '../../compare/scale';
import { useWidth } from '../../compare/width';

const HEIGHT = 300;

/** `error`: one standard error; null where there is none. `words`: what a point is, to those who ask. */
export type Point = { x: number; y: number; error: number | null; words: string };

/** `look` as of groups of runs: its colour, dash and mark. */
export type Line = { label: string; look: number; points: Point[] };

type Props = {
  id: string;
  title: string;
  lines: Line[];
  across: string;
  up: string;
  note: string;
  /** Where a vertical line stands, and what it is. */
  mark?: { x: number; words: string };
};

export function Plot({ id, title, lines, across, up, note, mark }: Props) {
  const [host, width] = useWidth();
  const all = lines.flatMap(({ points }) => points);
  const plane = { lines, across, up, ...(mark && { mark }) };
  const press = (kind: Kind) =>
    savePicture(
      <Picture title={title} keys={lines} lines note={`${note} ± one standard error.`}>
        <Plane {...SIZE} {...plane} />
      </Picture>,
      fileName(title),
      kind,
    );
  return (
    <figure class="use-plot" data-testid={id}>
      <figcaption class="panel-head">
        <h4>{title}</h4>
        {all.length > 0 && <PictureButtons testid={id} press={press} />}
      </figcaption>
      <div ref={host} class="use-plane">
        {width > 0 && (
          <svg class="figure" width={width} height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`}>
            <title>{title}</title>
            <Plane width={width} height={HEIGHT} {...plane} reached />
          </svg>
        )}
      </div>
      {lines.length > 1 && (
        <ul class="use-key">
          {lines.map(({ label, look }) => (
            <li key={label}>
              <svg class={`swatch ${colourOf(look)}`} viewBox="-1.6 -1.6 3.2 3.2" aria-hidden="true">
                <path d={markOf(look)} />
              </svg>
              {label}
            </li>
          ))}
        </ul>
      )}
      <p class="help">{note} ± is one standard error.</p>
    </figure>
  );
}

type PlaneProps = {
  width: number;
  height: number;
  lines: Line[];
  across: string;
  up: string;
  mark?: { x: number; words: string };
  /** Points can be pointed at. */
  reached?: boolean;
};

function Plane({ width, height, lines, across, up, mark, reached = false }: PlaneProps) {
  const [x, y, ticks] = useMemo(() => {
    const all = lines.flatMap(({ points }) => points);
    const lengths = [...new Set([...all.map(({ x }) => x), ...(mark ? [mark.x] : [])])].sort((a, b) => a - b);
    const [first = 1, last = 2] = [lengths[0], lengths.at(-1)];
    // Half a doubling of room on either side.
    const x = between(first / Math.SQRT2, last * Math.SQRT2, true);
    const ends = all.flatMap(({ y, error }) => [y - (error ?? 0), y + (error ?? 0)]);
    return [x, scaleOf(ends, false), lengths] as const;
  }, [lines, mark]);
  return (
    <Frame width={width} height={height} x={{ scale: x, label: across, ticks }} y={{ scale: y, label: up }}>
      {(places) => (
        <>
          {mark && (
            <g class="use-mark">
              <line x1={places.x(mark.x)} x2={places.x(mark.x)} y1={places.y(y.low)} y2={places.y(y.high)} />
              <text x={places.x(mark.x) - 6} y={places.y(y.high) + 14} text-anchor="end">
                {mark.words}
              </text>
            </g>
          )}
          {lines.map(({ label, look, points }) => (
            <g key={label} class={`use-line ${colourOf(look)}`}>
              <path
                class="joined"
                stroke-dasharray={dashOf(look).join(' ') || undefined}
                d={`M${points.map((point) => `${places.x(point.x)} ${places.y(point.y)}`).join('L')}`}
              />
              {points.map((point) => {
                const [cx, cy] = [places.x(point.x), places.y(point.y)];
                const { error } = point;
                return (
                  <g
                    key={point.x}
                    class="point"
                    {...(reached && { tabIndex: 0, role: 'img', 'aria-label': point.words })}
                  >
                    {reached && <title>{point.words}</title>}
                    {error !== null && error > 0 && (
                      <path
                        class="bar"
                        d={`M${cx} ${places.y(point.y - error)}V${places.y(point.y + error)}`}
                      />
                    )}
                    <path class="dot" d={markOf(look)} transform={`translate(${cx} ${cy}) scale(4.5)`} />
                  </g>
                );
              })}
            </g>
          ))}
        </>
      )}
    </Frame>
  );
}
