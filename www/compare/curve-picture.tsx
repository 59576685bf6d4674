// The curves as SVG, for a file: the same lines and bands that the plot draws.

import type { Cell } from '../charts/table';
import { X_LABELS, type XAxis } from '../charts/view';
import type { Bands } from './bands';
import { Frame, type Places } from './frame';
import { colourOf, dashOf } from './look';
import { Picture, SIZE } from './picture';
import type { Curve } from './points';
import { between, scaleOf } from './scale';

type Props = {
  title: string;
  of: Bands;
  curve: Curve;
  view: { x: XAxis; logX: boolean; logY: boolean };
};

export function CurvePicture({ title, of: { table, strands }, curve, view: { x, logX, logY } }: Props) {
  const [axis = [], ...columns] = table;
  const xs = axis.map((place) => place ?? Number.NaN);
  const values = columns.flat().filter((value) => value !== null);
  const [first = 0, last = 1] = [xs[0], xs.at(-1)];
  const means = strands.filter(({ kind, of }) => kind === 'mean' && of !== 0);
  return (
    <Picture
      title={title}
      keys={means.map(({ group, of }) => ({
        look: group.look,
        label: `${group.label}, ${of} ${of === 1 ? 'run' : 'runs'}`,
      }))}
      lines
      note="Means over runs, their 95% intervals as bands, single runs thin; dotted: diverged or not done."
    >
      <Frame
        {...SIZE}
        x={{ scale: first < last ? between(first, last, logX) : scaleOf(xs, logX), label: X_LABELS[x] }}
        y={{ scale: scaleOf(values, logY), label: curve.unit }}
      >
        {(places) =>
          strands.map(({ kind, group, apart }, index) => {
            const column = columns[index] ?? [];
            const colour = colourOf(group.look);
            const key = `${group.key} ${index}`;
            if (kind === 'high') return null;
            if (kind === 'low')
              return (
                <path
                  key={key}
                  class={`band ${colour}`}
                  d={band(xs, column, columns[index + 1] ?? [], places)}
                />
              );
            const dash = kind === 'mean' ? dashOf(group.look) : apart ? [2, 4] : [];
            return (
              <path
                key={key}
                class={`${kind === 'mean' ? 'strand' : 'strand thin'} ${colour}`}
                d={line(xs, column, places)}
                stroke-dasharray={dash.join(' ') || undefined}
              />
            );
          })
        }
      </Frame>
    </Picture>
  );
}

const line = (xs: number[], column: Cell[], { x, y }: Places): string =>
  joined(xs.flatMap((place, row) => at(x(place), column[row], y)));

function band(xs: number[], low: Cell[], high: Cell[], { x, y }: Places): string {
  const upper = xs.flatMap((place, row) => (low[row] == null ? [] : at(x(place), high[row], y)));
  const lower = xs.flatMap((place, row) => (high[row] == null ? [] : at(x(place), low[row], y)));
  return joined([...upper, ...lower.toReversed()]);
}

const at = (x: number, value: Cell | undefined, y: (value: number) => number): string[] =>
  value == null ? [] : [`${x.toFixed(1)} ${y(value).toFixed(1)}`];

const joined = (places: string[]): string => (places.length > 0 ? `M${places.join('L')}` : '');
