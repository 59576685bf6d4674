// One plot with its title and legend. uPlot owns the canvas; it is made anew when the axes or the colours
// change and only given data when points arrive.

import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { repaint } from '../shell/scheme';
import { type Line, options, type Spec } from './options';
import type { Table } from './table';
import { runView, type View } from './view';

export function Plot({ spec, note, view = runView }: { spec: Spec; note?: string; view?: View }) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const latest = useRef(spec);
  latest.current = spec;
  const [indices, setIndices] = useState<(number | null | undefined)[] | null>(null);

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const moved = (moved: uPlot) => {
      const over = (moved.cursor.left ?? -1) >= 0;
      setIndices(over ? [...(moved.cursor.idxs ?? [])] : null);
    };
    const spec = () => latest.current;
    const made = new uPlot(
      options(spec, view, element.clientWidth, moved),
      spec().table as uPlot.AlignedData,
      element,
    );
    plot.current = made;
    view.plots.set(spec().id, { plot: made, spec });
    const resize = new ResizeObserver(() => {
      if (element.clientWidth > 0)
        made.setSize({ width: element.clientWidth, height: latest.current.height });
    });
    resize.observe(element);
    return () => {
      resize.disconnect();
      view.plots.delete(spec().id);
      made.destroy();
    };
  }, [spec.id, spec.yLabel, spec.logY, spec.shape, view.xAxis.value, view.logX.value, repaint.value]);

  useEffect(
    () => plot.current?.setData(spec.table as uPlot.AlignedData),
    [spec.table, view.zoom.value, spec.reference?.value],
  );

  return (
    <figure class="plot" data-testid={`chart-${spec.id}`} data-points={spec.table[0]?.length}>
      <figcaption>
        <h3>{spec.title}</h3>
        <Legend spec={spec} indices={indices} />
      </figcaption>
      <div ref={host} class="canvas" role="img" aria-label={inWords(spec)} />
      {note && <p class="overlay">{note}</p>}
    </figure>
  );
}

type LegendProps = { spec: Spec; indices: (number | null | undefined)[] | null };

/** The values under the cursor, or the latest. */
function Legend({ spec, indices }: LegendProps) {
  const at = (table: Table, line: number): number | null => {
    const column = table[line] ?? [];
    const index = indices?.[line];
    return (index == null ? column.findLast((value) => value !== null) : column[index]) ?? null;
  };
  const { beside, reference } = spec;
  return (
    <ul class="legend" data-live={indices !== null || undefined}>
      {spec.lines.map((line, index) =>
        line.unnamed ? null : (
          <li key={line.label} class={`${line.style} ${line.colour}`}>
            {line.dash && <Sample dash={line.dash} />}
            {line.label} <b>{text(line, at(spec.table, index + 1))}</b>
            {beside && (
              <small>
                {text(line, at(beside.table, index + 1))} {beside.label}
              </small>
            )}
          </li>
        ),
      )}
      {reference && (
        <li class="dashed reference">
          {reference.label} <b>{reference.show(reference.value)}</b>
          {beside && (
            <small>
              {reference.show(beside.reference)} {beside.label}
            </small>
          )}
        </li>
      )}
    </ul>
  );
}

/** How a line is dashed. */
const Sample = ({ dash }: { dash: number[] }) => (
  <svg class="sample" viewBox="0 0 26 4" aria-hidden="true">
    <line x2="26" y1="2" y2="2" stroke-dasharray={dash.join(' ') || undefined} />
  </svg>
);

const text = (line: Line, value: number | null): string => (value === null ? '–' : line.show(value));

function inWords(spec: Spec): string {
  const latest = spec.lines.flatMap((line, index) => {
    if (line.unnamed) return [];
    const value = spec.table[index + 1]?.findLast((cell) => cell !== null) ?? null;
    return [`${line.label} ${text(line, value)}`];
  });
  return `${spec.title}, ${spec.yLabel}: ${latest.join(', ')}`;
}
