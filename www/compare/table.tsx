// A row a group: how many runs it has, and what they reached. Column by column, what cannot be compared is not.

import { Fragment } from 'preact';
import { count } from '../format';
import { Census as Runs } from './census';
import type { Unlike } from './likeness';
import { type Measure, saysUnit } from './measures';
import { Refusal, Remark } from './refusal';
import { type Entry, refusal, remark, type Scene } from './scene';
import type { Change, Settings } from './settings';
import { sorted } from './sort';
import type { Estimate } from './statistics';
import { summary } from './summary';
import { Swatch } from './swatch';

type Props = {
  scene: Scene;
  columns: Measure[];
  settings: Settings;
  change: Change;
};

export function GroupTable({ scene, columns, settings, change }: Props) {
  const { entries, shown, fields } = scene;
  const rows = sorted(entries, columns, settings.sort);
  const refusals = new Map(columns.map((measure) => [measure.id, refusal(shown, measure, fields)]));
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section class="wide-table" tabIndex={0} aria-label="Groups of runs">
        <table data-testid="groups">
          <thead>
            <tr>
              <Head label="Group" id="group" settings={settings} change={change} />
              <Head label="Runs" id="runs" settings={settings} change={change} />
              {columns.map((measure) => (
                <Head
                  key={measure.id}
                  label={measure.label}
                  unit={saysUnit(measure) ? '' : measure.unit}
                  id={measure.id}
                  refused={refusals.get(measure.id) !== null}
                  settings={settings}
                  change={change}
                />
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((entry, row) => (
              <tr key={entry.group.key} data-testid="group" class={entry.hidden ? 'hidden-group' : ''}>
                <Name entry={entry} settings={settings} change={change} />
                <td>
                  <Runs census={entry.census} />
                </td>
                {columns.map((measure) => (
                  <Cell
                    key={measure.id}
                    entry={entry}
                    measure={measure}
                    refused={refusals.get(measure.id) ?? null}
                    rows={row === 0 ? rows.length : 0}
                    change={change}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {entries.every(({ census }) => census.counted.length + census.diverged.length === 0) && (
        <p data-testid="none-done">
          None of these runs has gone on to its last step, so none counts. Count them as they stand, or train
          them on.
        </p>
      )}
      <p class="help">
        Means over the runs of a group, and below them the 95% interval of the mean, which one run cannot
        have.
      </p>
      {columns.map((measure) => (
        <Fragment key={measure.id}>
          {!refusals.get(measure.id) && <Remark of={remark(shown, measure, fields)} what={measure.label} />}
        </Fragment>
      ))}
    </>
  );
}

type HeadProps = {
  label: string;
  unit?: string;
  id: string;
  refused?: boolean;
  settings: Settings;
  change: Change;
};

function Head({ label, unit, id, refused, settings: { sort }, change }: HeadProps) {
  const by = sort?.by === id ? (sort.descending ? 'descending' : 'ascending') : 'none';
  const press = () => change({ sort: { by: id, descending: by === 'ascending' } });
  return (
    <th scope="col" aria-sort={refused ? undefined : by}>
      {refused ? (
        label
      ) : (
        <button type="button" class="sort" onClick={press} data-testid={`sort-${id}`}>
          {label}
          <span aria-hidden="true">{{ ascending: ' ▲', descending: ' ▼', none: '' }[by]}</span>
        </button>
      )}
      {unit && <small>{unit}</small>}
    </th>
  );
}

function Name({ entry, settings, change }: { entry: Entry; settings: Settings; change: Change }) {
  const { group, hidden } = entry;
  const others = settings.hidden.filter((key) => key !== group.key);
  return (
    <th scope="row">
      <label class="group-name">
        <input
          type="checkbox"
          checked={!hidden}
          aria-label={`Show ${group.label}`}
          data-testid="show-group"
          onChange={() => change({ hidden: hidden ? others : [...others, group.key] })}
        />
        <Swatch look={group.look} />
        <span>{group.label}</span>
      </label>
    </th>
  );
}

type CellProps = {
  entry: Entry;
  measure: Measure;
  refused: Unlike | null;
  /** How many the reason for a refusal takes, of this row and those below it. */
  rows: number;
  change: Change;
};

function Cell({ entry, measure, refused, rows, change }: CellProps) {
  if (refused)
    return rows > 0 ? (
      <td class="refused" rowSpan={rows} data-testid={`refused-${measure.id}`}>
        <Refusal of={refused} what={measure.label} change={change} />
      </td>
    ) : null;
  const of = summary(entry.census, measure);
  return (
    <td class="amount" data-testid={`value-${measure.id}`} data-value={of?.mean}>
      <Amount of={of} show={measure.show} runs={entry.census.counted.length} />
    </td>
  );
}

function Amount({ of, show, runs }: { of: Estimate | null; show: Measure['show']; runs: number }) {
  if (!of) return <>–</>;
  const some = of.n < runs ? `of ${count(of.n)}` : '';
  // What no chance enters is the same for every seed, but for rounding.
  if (of.low === null || of.high === null || of.high - of.low < 1e-9 * Math.abs(of.mean))
    return (
      <>
        {show(of.mean)} <small>{some}</small>
      </>
    );
  return (
    <>
      {show(of.mean)}
      <small>
        {show(of.low)} to {show(of.high)} {some}
      </small>
    </>
  );
}
