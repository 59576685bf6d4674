// Which runs are looked at, how they are grouped, and which columns the table has.

import { Select, Toggle } from '../charts/inputs';
import type { StoredRun } from '../store/types';
import { DEVICE, differing } from './groups';
import { nameOf } from './names';
import type { Scene } from './scene';
import type { Change, Settings, Shown } from './settings';

const STATES: Record<Shown, string> = {
  all: 'All',
  results: 'Finished or diverged',
  diverged: 'Diverged',
  unfinished: 'Not done',
};

type Props = {
  runs: StoredRun[];
  scene: Scene;
  columns: string[];
  settings: Settings;
  change: Change;
};

export function Filters({ runs, scene, columns, settings, change }: Props) {
  const { by, fields, measures, entries } = scene;
  const options = differing(runs, fields).map((path) => ({
    value: path,
    label: path === DEVICE ? 'Device' : nameOf(fields, path),
  }));
  const unfinished = entries.some(({ census }) => census.unfinished.length > 0);
  return (
    <div class="chart-controls">
      <label class="inline-control">
        <span>Find</span>
        <input
          type="search"
          value={settings.words}
          placeholder="words of names, groups, devices"
          data-testid="find-runs"
          onInput={(event) => change({ words: event.currentTarget.value })}
        />
      </label>
      <Select
        label="Runs"
        choices={STATES}
        value={settings.state}
        testid="state"
        change={(state) => change({ state })}
      />
      {(unfinished || settings.unfinished) && (
        <Toggle
          label="Count runs that are not done, as they stand"
          value={settings.unfinished}
          testid="count-unfinished"
          change={(on) => change({ unfinished: on })}
        />
      )}
      {options.length > 0 && (
        <Picks
          label="Group by"
          options={options}
          picked={by}
          testid="group-by"
          usual={settings.by === null}
          change={(by) => change({ by, hidden: [] })}
        />
      )}
      <Picks
        label="Columns"
        options={measures.map(({ id, label }) => ({ value: id, label }))}
        picked={columns}
        testid="columns"
        usual={settings.columns === null}
        change={(columns) => change({ columns })}
      />
      {settings.only.map((only) => (
        <button
          key={only.likeness}
          type="button"
          class="quiet"
          onClick={() => change({ only: settings.only.filter((other) => other !== only) })}
          aria-label={`Only ${only.words}: look at the others again`}
          data-testid="only"
        >
          Only {only.words} ✕
        </button>
      ))}
      {settings.hidden.length > 0 && (
        <button type="button" class="quiet" onClick={() => change({ hidden: [] })} data-testid="show-all">
          Show all groups
        </button>
      )}
    </div>
  );
}

type PicksProps = {
  label: string;
  options: { value: string; label: string }[];
  picked: string[];
  testid: string;
  /** Nothing was picked by the visitor. */
  usual: boolean;
  /** Null: as usual. */
  change: (picked: string[] | null) => void;
};

/** Any of several, behind one word. */
function Picks({ label, options, picked, testid, usual, change }: PicksProps) {
  const names = options.filter(({ value }) => picked.includes(value)).map(({ label }) => label);
  const toggle = (value: string) =>
    change(options.map((option) => option.value).filter((one) => picked.includes(one) !== (one === value)));
  return (
    <details class="picks" data-testid={testid}>
      <summary>
        {label}{' '}
        <span class="muted">
          {names.length > 2 ? `${names.length} of ${options.length}` : names.join(', ')}
        </span>
      </summary>
      <fieldset>
        <legend class="visually-hidden">{label}</legend>
        {options.map(({ value, label }) => (
          <label key={value} class="check">
            <input
              type="checkbox"
              checked={picked.includes(value)}
              onChange={() => toggle(value)}
              data-testid={`${testid}-${value}`}
            />
            {label}
          </label>
        ))}
        {!usual && (
          <button type="button" class="quiet" onClick={() => change(null)} data-testid={`${testid}-usual`}>
            As usual
          </button>
        )}
      </fieldset>
    </details>
  );
}
