// Groups by two measures at once, with the intervals of both, and what no other group beats.

import { useMemo, useState } from 'preact/hooks';
import { Select, Toggle } from '../charts/inputs';
import { Frame } from './frame';
import { colourOf, markOf } from './look';
import { type Mark, marks, radius } from './marks';
import { header, type Measure } from './measures';
import { fileName, type Kind, Picture, PictureButtons, SIZE, savePicture } from './picture';
import { Refusal, Remark } from './refusal';
import { scaleOf } from './scale';
import { refusal, remark, type Scene } from './scene';
import type { Change, ScatterSettings } from './settings';
import { estimateWords } from './summary';
import { useWidth } from './width';

const HEIGHT = 380;
const NONE = 'none';

type Of = { x: Measure; y: Measure; size: Measure | undefined };

type Props = {
  id: string;
  scene: Scene;
  of: Of;
  settings: ScatterSettings;
  set: (change: Partial<ScatterSettings>) => void;
  change: Change;
};

export function Scatter({ id, scene, of, settings, set, change }: Props) {
  const { x, y, size } = of;
  const { shown, fields, measures } = scene;
  const choices = Object.fromEntries(measures.map(({ id, label }) => [id, label]));
  const refused = [y, x, ...(size ? [size] : [])]
    .map((measure) => ({ measure, of: refusal(shown, measure, fields) }))
    .find(({ of }) => of);
  const log = { x: settings.logX, y: settings.logY };
  const found = marks(shown, of, log);
  const title = `${y.label} against ${x.label.toLowerCase()}`;
  const picture = (kind: Kind) =>
    savePicture(
      <Picture
        title={title}
        keys={found.map(({ entry: { group } }) => group)}
        lines={false}
        note={caption(of)}
      >
        <Plane {...SIZE} of={of} found={found} log={log} />
      </Picture>,
      fileName(title),
      kind,
    );
  return (
    <section class="scatter" aria-labelledby={`${id}-title`} data-testid={id}>
      <div class="panel-head">
        <h3 id={`${id}-title`}>{title}</h3>
        {!refused && found.length > 0 && <PictureButtons testid={id} press={picture} />}
      </div>
      <div class="chart-controls">
        <Select label="Up" choices={choices} value={y.id} testid={`${id}-y`} change={(y) => set({ y })} />
        <Select label="Across" choices={choices} value={x.id} testid={`${id}-x`} change={(x) => set({ x })} />
        <Select
          label="Size"
          choices={{ [NONE]: 'All alike', ...choices }}
          value={size?.id ?? NONE}
          testid={`${id}-size`}
          change={(size) => set({ size })}
        />
        <Toggle label="Log x" value={log.x} testid={`${id}-log-x`} change={(logX) => set({ logX })} />
        <Toggle label="Log y" value={log.y} testid={`${id}-log-y`} change={(logY) => set({ logY })} />
      </div>
      {refused?.of ? (
        <Refusal of={refused.of} what={refused.measure.label} change={change} />
      ) : found.length === 0 ? (
        <p class="muted">No group that is shown has both yet.</p>
      ) : (
        <>
          <Drawn title={title} of={of} found={found} log={log} />
          <p class="help">{caption(of)}</p>
          {[y, x].map((measure) => (
            <Remark key={measure.id} of={remark(shown, measure, fields)} what={measure.label} />
          ))}
        </>
      )}
    </section>
  );
}

function caption({ x, y, size }: Of): string {
  const sized = size ? ` Area: ${size.label.toLowerCase()}.` : '';
  const bars = `Means and their 95% intervals over runs.${sized}`;
  if (x.goal === null || y.goal === null) return bars;
  const better = `Better is ${y.goal === 'maximize' ? 'up' : 'down'} and ${x.goal === 'maximize' ? 'right' : 'left'}`;
  return `${bars} ${better}; the dashed line joins the means that no other group beats in both.`;
}

type DrawnProps = { title: string; of: Of; found: Mark[]; log: { x: boolean; y: boolean } };

function Drawn({ title, of, found, log }: DrawnProps) {
  const [host, width] = useWidth();
  const [at, setAt] = useState<string | null>(null);
  const pointed = found.find(({ entry }) => entry.group.key === at);
  return (
    <div ref={host} class="plane">
      {width > 0 && (
        <svg class="figure" width={width} height={HEIGHT} aria-label={title}>
          <Plane width={width} height={HEIGHT} of={of} found={found} log={log} at={at} point={setAt} />
        </svg>
      )}
      <p class="pointed" aria-hidden="true" data-testid="pointed">
        {pointed ? words(pointed, of) : 'Point at a group, or step through them with Tab.'}
      </p>
      <ul class="legend groups-legend">
        {found.map(({ entry: { group }, front }) => (
          <li key={group.key} class={colourOf(group.look)} data-at={group.key === at || undefined}>
            <svg class={`swatch ${colourOf(group.look)}`} viewBox="-1.6 -1.6 3.2 3.2" aria-hidden="true">
              <path d={markOf(group.look)} />
            </svg>
            {group.label}
            {front && <small>on the front</small>}
          </li>
        ))}
      </ul>
    </div>
  );
}

function words({ entry: { group }, x, y, size, front }: Mark, of: Of): string {
  const figures = [
    `${of.y.label} ${estimateWords(y, of.y.show)}`,
    `${of.x.label.toLowerCase()} ${estimateWords(x, of.x.show)}`,
    ...(of.size && size ? [`${of.size.label.toLowerCase()} ${of.size.show(size.mean)}`] : []),
  ];
  const runs = `${y.n} ${y.n === 1 ? 'run' : 'runs'}`;
  return `${group.label}, ${runs}: ${figures.join('; ')}.${front ? ' On the front.' : ''}`;
}

type PlaneProps = {
  width: number;
  height: number;
  of: Of;
  found: Mark[];
  log: { x: boolean; y: boolean };
  at?: string | null;
  point?: (key: string | null) => void;
};

function Plane({ width, height, of, found, log, at, point }: PlaneProps) {
  const [x, y] = useMemo(
    () => [scaleOf(extent(found, 'x'), log.x), scaleOf(extent(found, 'y'), log.y)] as const,
    [found, log.x, log.y],
  );
  return (
    <Frame
      width={width}
      height={height}
      x={{ scale: x, label: header(of.x) }}
      y={{ scale: y, label: header(of.y) }}
    >
      {(places) => {
        // What reaches below zero ends at the edge of a logarithmic axis.
        const left = (value: number) => places.x(log.x ? Math.max(value, x.low) : value);
        const down = (value: number) => places.y(log.y ? Math.max(value, y.low) : value);
        const onFront = found
          .filter(({ front }) => front)
          .toSorted((one, other) => one.x.mean - other.x.mean)
          .map((mark) => `${places.x(mark.x.mean)} ${places.y(mark.y.mean)}`);
        return (
          <>
            {onFront.length > 1 && <path class="front" d={`M${onFront.join('L')}`} />}
            {found.map((mark) => {
              const { group } = mark.entry;
              const [cx, cy] = [places.x(mark.x.mean), places.y(mark.y.mean)];
              const size = radius(mark, found);
              return (
                <g
                  key={group.key}
                  class={`mark ${colourOf(group.look)}`}
                  data-testid="mark"
                  data-front={mark.front}
                  {...(point && {
                    tabIndex: 0,
                    role: 'img',
                    'aria-label': words(mark, of),
                    onFocus: () => point(group.key),
                    onBlur: () => point(null),
                    onMouseEnter: () => point(group.key),
                    onMouseLeave: () => point(null),
                  })}
                >
                  {mark.x.low !== null && mark.x.high !== null && (
                    <path class="bar" d={`M${left(mark.x.low)} ${cy}H${places.x(mark.x.high)}`} />
                  )}
                  {mark.y.low !== null && mark.y.high !== null && (
                    <path class="bar" d={`M${cx} ${down(mark.y.low)}V${places.y(mark.y.high)}`} />
                  )}
                  {(mark.front || at === group.key) && (
                    <circle class={at === group.key ? 'ring at' : 'ring'} cx={cx} cy={cy} r={size + 5} />
                  )}
                  <path
                    class="dot"
                    d={markOf(group.look)}
                    transform={`translate(${cx} ${cy}) scale(${size})`}
                  />
                </g>
              );
            })}
          </>
        );
      }}
    </Frame>
  );
}

/** Means and the ends of their intervals. */
const extent = (found: Mark[], axis: 'x' | 'y'): number[] =>
  found
    .flatMap((mark) => [mark[axis].mean, mark[axis].low, mark[axis].high])
    .filter((value) => value !== null);
