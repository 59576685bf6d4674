// Groups along their training: each a line for the mean of its runs, with the band of its 95 % interval.

import { signal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { X_CHOICES } from '../charts/controls';
import { Select, Toggle } from '../charts/inputs';
import type { Line, Spec } from '../charts/options';
import { Plot } from '../charts/plot';
import { type View, X_LABELS, type XAxis } from '../charts/view';
import { count } from '../format';
import { type Bands, type Bundle, bands, type Strand } from './bands';
import { CurvePicture } from './curve-picture';
import { type Likeness, unlike } from './likeness';
import { colourOf, dashOf } from './look';
import { fileName, PictureButtons, savePicture } from './picture';
import { type Curve, curvesOf, pointsOf, WEIGHT } from './points';
import { Refusal, Remark } from './refusal';
import type { Entry, Scene } from './scene';
import type { Change, Settings } from './settings';

const HEIGHT = 380;

/** Along these, runs that are not alike in this are drawn with care. */
const MINDS: Record<XAxis, Likeness[]> = {
  step: [],
  tokens: ['tokenizer'],
  seconds: ['device'],
  flops: [],
};

type Props = {
  name: string;
  scene: Scene;
  settings: Settings;
  change: Change;
};

export function Curves({ name, scene, settings, change }: Props) {
  const { shown, fields } = scene;
  const { x, logX, logY, runs: single } = settings.curve;
  const bundles = useMemo(() => shown.map(bundleOf), [shown]);
  const drawn = bundles.flatMap(({ counted, others }) => [...counted, ...others]);
  const curves = curvesOf(drawn);
  const curve = curves.find(({ id }) => id === settings.curve.of) ?? curves[0];
  const set = (part: Partial<Settings['curve']>) => change({ curve: { ...settings.curve, ...part } });
  const of = useMemo(
    () => curve && bands(bundles, curve, x, { logX, logY, runs: single }),
    [bundles, curve?.id, x, logX, logY, single],
  );
  if (!curve || !of) return null;
  const having = drawn.filter((run) => pointsOf(run, curve, x).xs.length > 0);
  const refused = unlike(curve.needs, having, fields);
  const title = `${curve.label}, by ${X_CHOICES[x].toLowerCase()}`;
  return (
    <section class="panel" aria-labelledby="curves-title" data-testid="compared-curves">
      <div class="panel-head">
        <h2 id="curves-title">Curves</h2>
        {!refused && having.length > 0 && (
          <PictureButtons
            testid="curves"
            press={(kind) =>
              savePicture(
                <CurvePicture title={title} of={of} curve={curve} view={{ x, logX, logY }} />,
                fileName(title),
                kind,
              )
            }
          />
        )}
      </div>
      <div class="chart-controls">
        <Select
          label="Curve"
          choices={Object.fromEntries(curves.map(({ id, label }) => [id, label]))}
          value={curve.id}
          testid="curve"
          change={(of) => set({ of })}
        />
        <Select label="Across" choices={X_CHOICES} value={x} testid="curve-x" change={(x) => set({ x })} />
        <Toggle label="Log x" value={logX} testid="curve-log-x" change={(logX) => set({ logX })} />
        <Toggle label="Log y" value={logY} testid="curve-log-y" change={(logY) => set({ logY })} />
        <Toggle label="Single runs" value={single} testid="curve-runs" change={(runs) => set({ runs })} />
      </div>
      {refused ? (
        <Refusal of={refused} what={curve.label} change={change} />
      ) : having.length === 0 ? (
        <p class="muted">No run that is shown has points of this yet.</p>
      ) : (
        <>
          <Drawn name={name} title={title} curve={curve} of={of} settings={settings} />
          <Remark of={unlike(MINDS[x], having, fields)} what={X_CHOICES[x]} />
        </>
      )}
    </section>
  );
}

const bundleOf = ({ group, census: { counted, diverged, unfinished } }: Entry): Bundle => ({
  group,
  counted,
  others: [...diverged, ...unfinished],
});

type DrawnProps = { name: string; title: string; curve: Curve; of: Bands; settings: Settings };

function Drawn({ name, title, curve, of, settings }: DrawnProps) {
  const { x, logX, logY } = settings.curve;
  // Another axis is another zoom.
  const view = useMemo(
    (): View => ({
      name: `comparison-${name}`,
      xAxis: signal(x),
      logX: signal(logX),
      zoom: signal(null),
      plots: new Map(),
    }),
    [name, x, logX],
  );
  const { zoom } = view;
  const spec = specOf(of, curve, title, logY);
  return (
    <>
      <Plot key={`${curve.id} ${x} ${logX}`} spec={spec} view={view} />
      {zoom.value && (
        <button
          type="button"
          class="quiet"
          data-testid="curve-reset-zoom"
          onClick={() => {
            zoom.value = null;
          }}
        >
          Whole range
        </button>
      )}
      <p class="help">{caption(of, curve, x)} Drag across to zoom.</p>
    </>
  );
}

function specOf({ table, strands }: Bands, curve: Curve, title: string, logY: boolean): Spec {
  return {
    id: 'compared',
    title,
    yLabel: curve.unit,
    height: HEIGHT,
    logY,
    fromZero: false,
    lines: strands.map((strand) => lineOf(strand, curve)),
    bands: strands.flatMap(({ kind, group }, index) =>
      // The lower edge comes before the upper one.
      kind === 'low' ? [{ low: index, high: index + 1, colour: colourOf(group.look) }] : [],
    ),
    shape: strands.map(({ kind, group, of, apart }) => [kind, group.key, of, apart].join()).join(),
    table,
    reference: null,
  };
}

function lineOf({ kind, group, of, apart }: Strand, { show }: Curve): Line {
  const colour = colourOf(group.look);
  if (kind === 'mean') {
    const label = typeof of === 'number' && of > 1 ? `${group.label}, mean of ${of}` : group.label;
    return { label, colour, style: 'line', dash: dashOf(group.look), show, unnamed: of === 0 };
  }
  if (kind === 'run')
    return { label: String(of), colour, style: 'thin', show, unnamed: true, ...(apart && { dash: [2, 4] }) };
  return { label: kind, colour, style: 'edge', show, unnamed: true };
}

function caption({ table, strands }: Bands, { smoothed }: Curve, x: XAxis): string {
  const places = `${count(table[0]?.length ?? 0)} places along ${X_LABELS[x]}`;
  const apart = strands.some(({ apart }) => apart);
  return [
    `Thick lines are means over runs, bands their 95% intervals, thin lines single runs.`,
    `Runs are read at ${places}, on straight lines between their own points; a mean goes as far as all its runs do.`,
    smoothed ? `Each run is smoothed first (a moving average that keeps ${WEIGHT} of the past).` : '',
    apart ? 'Thin dotted lines are runs that diverged or are not done; they count in no mean.' : '',
  ]
    .filter(Boolean)
    .join(' ');
}
