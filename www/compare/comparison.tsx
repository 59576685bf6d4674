// Runs side by side: a table by group, what the data support, curves, two scatter plots, and the settings that differ.

import { useMemo } from 'preact/hooks';
import { csvFile } from '../charts/csv';
import { save } from '../charts/save';
import { sections } from '../state';
import type { StoredRun } from '../store/types';
import { Filters } from './controls';
import { Curves } from './curves';
import { Differences } from './differences';
import { everything, tableCsv } from './exports';
import type { Measure } from './measures';
import { fileName } from './picture';
import { Scatter } from './scatter';
import { hasValues, measureOf, type Scene, scene as sceneOf } from './scene';
import { type Change, type ScatterSettings, type Settings, useSettings } from './settings';
import { sorted } from './sort';
import { GroupTable } from './table';
import { Verdict } from './verdict';

const COLUMNS = ['bits_per_byte', 'accuracy', 'tokens_per_second', 'seconds', 'parameters'];

/** What the scatter plots show unless the visitor chose: where runs were scored on tasks, and where none was. */
const SCATTERS = {
  scored: [
    { x: 'bits_per_byte', y: 'accuracy', size: 'tokens_per_second' },
    { x: 'tokens_per_second', y: 'accuracy', size: null },
  ],
  unscored: [
    { x: 'tokens_per_second', y: 'bits_per_byte', size: null },
    { x: 'parameters', y: 'bits_per_byte', size: 'tokens_per_second' },
  ],
};

type Props = {
  runs: StoredRun[];
  /** How it is looked at is kept by this name. */
  name?: string;
  /** Makes so many more runs of each of these, with other seeds. */
  onRepeat?: (runs: StoredRun[], n: number) => void;
};

export function Comparison({ runs, name = 'runs', onRepeat }: Props) {
  const [settings, change] = useSettings(name);
  const { by, words, state, unfinished, only, hidden } = settings;
  const scene = useMemo(
    () => sceneOf(runs, { by, words, state, unfinished, only, hidden }, sections.value),
    [runs, sections.value, by, words, state, unfinished, only, hidden],
  );
  if (runs.length === 0)
    return (
      <section class="panel" data-testid="comparison">
        <h2>Comparison</h2>
        <p class="muted">
          There are no runs yet. Train one; change a setting and train again; then they can be compared here.
        </p>
      </section>
    );
  const columns = (settings.columns ?? COLUMNS)
    .map((id) => measureOf(scene, id))
    .filter((measure) => measure !== undefined);
  const subject = measureOf(scene, settings.subject) ?? scene.measures[0];
  return (
    <div class="comparison" data-testid="comparison">
      <section class="panel" aria-labelledby="comparison-title">
        <div class="panel-head">
          <h2 id="comparison-title">Comparison</h2>
          <Files scene={scene} columns={columns} settings={settings} />
        </div>
        <Filters
          runs={runs}
          scene={scene}
          columns={columns.map(({ id }) => id)}
          settings={settings}
          change={change}
        />
        {scene.entries.length === 0 ? (
          <p class="muted" data-testid="none-found">
            None of the {runs.length} runs is like this. Look for other words, or at all runs.
          </p>
        ) : (
          <GroupTable scene={scene} columns={columns} settings={settings} change={change} />
        )}
        {runs.length === 1 && (
          <p data-testid="one-run">
            This is one run. Change a setting and train another to compare them, or train it again with
            another seed to see how much is chance.
          </p>
        )}
      </section>
      {scene.shown.length > 0 && subject && (
        <>
          <Verdict scene={scene} subject={subject} change={change} onRepeat={onRepeat} />
          <Curves name={name} scene={scene} settings={settings} change={change} />
          <Scatters scene={scene} settings={settings} change={change} />
          <Differences scene={scene} />
        </>
      )}
    </div>
  );
}

type PartProps = { scene: Scene; settings: Settings; change: Change };

function Scatters({ scene, settings, change }: PartProps) {
  return (
    <section class="panel scatters" aria-label="Scatter plots">
      {settings.scatters.map((chosen, index) => {
        const of = scatterOf(scene, chosen, index);
        const set = (part: Partial<ScatterSettings>) =>
          change({ scatters: settings.scatters.with(index, { ...chosen, ...part }) as Settings['scatters'] });
        return (
          of && (
            <Scatter
              key={index}
              id={`scatter-${index}`}
              scene={scene}
              of={of}
              settings={chosen}
              set={set}
              change={change}
            />
          )
        );
      })}
    </section>
  );
}

function scatterOf(scene: Scene, chosen: ScatterSettings, index: number) {
  const accuracy = measureOf(scene, 'accuracy');
  const scored = accuracy !== undefined && hasValues(scene.entries, accuracy);
  const usual = SCATTERS[scored ? 'scored' : 'unscored'][index];
  const [x, y] = (['x', 'y'] as const).map(
    (axis) => measureOf(scene, chosen[axis]) ?? measureOf(scene, usual?.[axis] ?? null),
  );
  const size = measureOf(scene, chosen.size ?? usual?.size ?? null);
  return x && y ? { x, y, size } : null;
}

function Files({ scene, columns, settings }: { scene: Scene; columns: Measure[]; settings: Settings }) {
  const saveTable = () => {
    const rows = sorted(scene.entries, columns, settings.sort);
    save(csvFile(tableCsv(scene, rows, columns)), `${fileName('comparison-table')}.csv`);
  };
  const saveAll = () =>
    save(new Blob([everything(scene)], { type: 'application/json' }), `${fileName('comparison')}.json`);
  return (
    <div class="chart-files">
      <button type="button" class="quiet" onClick={saveTable} data-testid="save-table">
        Save table (CSV)
      </button>
      <button type="button" class="quiet" onClick={saveAll} data-testid="save-all">
        Save all (JSON)
      </button>
    </div>
  );
}
