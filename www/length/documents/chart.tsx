// Bars over the lengths of documents: how much text there is of each, or how often it is read.

import { Frame, type Places } from '../../compare/frame';
import { colourOf } from '../../compare/look';
import { fileName, type Kind, Picture, PictureButtons, SIZE, savePicture } from '../../compare/picture';
import { between } from '../../compare/scale';
import { useWidth } from '../../compare/width';
import type { Bucket } from '../../lab';

const HEIGHT = 300;
/** That a bar leaves free on either side. */
const GAP = 2;

/** A value for each bucket; null where there is none. `look`: its colour. */
export type Series = { label: string; look: number; values: (number | null)[] };

export type Bars = {
  title: string;
  /** With its unit. */
  up: string;
  buckets: Bucket[];
  series: Series[];
  /** A length and a height that are marked. */
  across: { at: number; label: string } | null;
  level: { at: number; label: string } | null;
};

export function BarChart({ id, note, ...bars }: Bars & { id: string; note: string }) {
  const [host, width] = useWidth();
  const { title, series } = bars;
  const keys = series.map(({ look, label }) => ({ look, label }));
  const picture = (kind: Kind) =>
    savePicture(
      <Picture title={title} keys={keys} lines={false} note={note}>
        <Plane {...SIZE} {...bars} />
      </Picture>,
      fileName(title),
      kind,
    );
  return (
    <section class="bars" aria-labelledby={`${id}-title`} data-testid={id}>
      <div class="panel-head">
        <h3 id={`${id}-title`}>{title}</h3>
        <PictureButtons testid={id} press={picture} />
      </div>
      <div ref={host} class="plane">
        {width > 0 && (
          <svg class="figure" width={width} height={HEIGHT} role="img" aria-label={`${title}. ${note}`}>
            <Plane width={width} height={HEIGHT} {...bars} />
          </svg>
        )}
      </div>
      {series.length > 1 && (
        <ul class="legend groups-legend">
          {series.map(({ label, look }) => (
            <li key={label} class={colourOf(look)}>
              <svg class={`swatch ${colourOf(look)}`} viewBox="-1.6 -1.6 3.2 3.2" aria-hidden="true">
                <path d="M-.9-.9H.9V.9H-.9Z" />
              </svg>
              {label}
            </li>
          ))}
        </ul>
      )}
      <p class="help">{note}</p>
    </section>
  );
}

function Plane({ width, height, ...bars }: Bars & { width: number; height: number }) {
  const { buckets, series, across, level, up } = bars;
  const [first, last] = [buckets[0], buckets.at(-1)];
  if (!first || !last) return null;
  const values = series.flatMap(({ values }) => values.filter((value) => value !== null));
  // With room for what the marks say.
  const most = Math.max(...values, level ? level.at : 0) * 1.15 || 1;
  const [low, high] = [
    Math.min(first.from, across?.at ?? first.from),
    Math.max(last.to + 1, across?.at ?? 0),
  ];
  // The context may lie beyond every document, or at the edge.
  const x = between(low, high * 1.02, true);
  return (
    <Frame
      width={width}
      height={height}
      x={{ scale: x, label: 'Length of the document (tokens)' }}
      y={{ scale: between(0, most, false), label: up }}
    >
      {(places) => (
        <>
          {buckets.map((bucket, i) => (
            <Group
              key={bucket.from}
              bucket={bucket}
              values={series.map(({ values }) => values[i] ?? null)}
              bars={bars}
              places={places}
            />
          ))}
          {level && (
            <g class="level">
              <line x1={places.x(low)} x2={places.x(high)} y1={places.y(level.at)} y2={places.y(level.at)} />
              <text x={places.x(high)} y={places.y(level.at) - 5} text-anchor="end">
                {level.label}
              </text>
            </g>
          )}
          {across && (
            <Mark
              at={across.at}
              label={across.label}
              right={x.share(across.at) < 0.7}
              most={most}
              places={places}
            />
          )}
        </>
      )}
    </Frame>
  );
}

type GroupProps = { bucket: Bucket; values: (number | null)[]; bars: Bars; places: Places };

/** The bars of one bucket, side by side. */
function Group({ bucket, values, bars, places }: GroupProps) {
  const [left, right] = [places.x(bucket.from) + GAP, places.x(bucket.to + 1) - GAP];
  const each = (right - left) / bars.series.length;
  return (
    <>
      {bars.series.map(({ label, look }, i) => {
        const value = values[i] ?? null;
        if (value === null) return null;
        const top = places.y(value);
        return (
          <rect
            key={label}
            class={`block ${colourOf(look)}`}
            data-testid="block"
            data-value={value}
            x={left + i * each}
            y={top}
            width={Math.max(each - 1, 1)}
            height={Math.max(places.y(0) - top, 0)}
          />
        );
      })}
    </>
  );
}

type MarkProps = { at: number; label: string; right: boolean; most: number; places: Places };

function Mark({ at, label, right, most, places }: MarkProps) {
  const x = places.x(at);
  return (
    <g class="level">
      <line x1={x} x2={x} y1={places.y(0)} y2={places.y(most)} />
      <text x={right ? x + 5 : x - 5} y={places.y(most) + 12} text-anchor={right ? 'start' : 'end'}>
        {label}
      </text>
    </g>
  );
}
