// The list of runs: what each was, what it reached, and what can be done with it.

import { signal } from '@preact/signals';
import { getKnown } from '../config/values';
import { workerWords } from '../device/words';
import { sentence } from '../errors';
import { bytes, count, nats, percent, si } from '../format';
import { can } from '../run/actions';
import { live, present } from '../state';
import { renameRun } from '../store/runs';
import type { RunHead, RunState } from '../store/types';
import { choose, chosen, goOn, open, saveWeights, useSettings } from './actions';
import { DeleteRuns } from './delete';
import { changesOf } from './words';

const STATES: Record<RunState, string> = {
  running: 'Training',
  paused: 'Paused',
  stopped: 'Stopped',
  finished: 'Finished',
  diverged: 'Diverged',
  failed: 'Failed',
  interrupted: 'Interrupted',
};

/** More are drawn when that is asked for. */
const FIRST = 50;
const all = signal(false);

export function List({ runs }: { runs: RunHead[] }) {
  const shown = all.value ? runs : runs.slice(0, FIRST);
  const ids = runs.map(({ id }) => id);
  const every = ids.every((id) => chosen.value.has(id));
  return (
    <>
      <table class="runs-table" data-testid="runs-table">
        <thead>
          <tr>
            <th>
              <input
                type="checkbox"
                aria-label="Choose all"
                checked={every}
                onChange={() => choose(ids, !every)}
                data-testid="choose-all"
              />
            </th>
            <th scope="col">Run</th>
            <th scope="col">State</th>
            <th scope="col">Steps</th>
            <th scope="col" title="Of the held-out text, at the last validation">
              Bits per byte
            </th>
            <th scope="col" title="Mean accuracy over the downstream tasks">
              Tasks
            </th>
            <th scope="col" title="Over the whole run">
              Tokens/s
            </th>
            <th scope="col">
              <span class="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((run) => (
            <Row key={run.id} run={run} />
          ))}
        </tbody>
      </table>
      {shown.length < runs.length && (
        <button
          type="button"
          class="quiet"
          onClick={() => {
            all.value = true;
          }}
        >
          Show all {count(runs.length)}
        </button>
      )}
    </>
  );
}

const DATE: Intl.DateTimeFormatOptions = { dateStyle: 'medium', timeStyle: 'short' };

function Row({ run }: { run: RunHead }) {
  const { id, name, last, held, scores, state, device } = run;
  const steps = Number(getKnown(run.config, 'training.steps'));
  const score = scores.at(-1);
  const speed = last && last.seconds > 0 ? last.tokens / last.seconds : null;
  return (
    <tr
      data-testid="run-row"
      data-id={id}
      data-state={state}
      aria-current={id === present.value ? 'true' : undefined}
    >
      <td>
        <input
          type="checkbox"
          aria-label={`Choose ${name}`}
          checked={chosen.value.has(id)}
          onChange={({ currentTarget }) => choose([id], currentTarget.checked)}
          data-testid="choose-run"
        />
      </td>
      <td class="run-name">
        <input
          // News of the run must not undo what is being typed.
          key={name}
          defaultValue={name}
          maxLength={200}
          aria-label={`Name of ${name}`}
          data-testid="run-name"
          onChange={({ currentTarget }) => {
            const words = currentTarget.value.trim();
            if (words && words !== name) void renameRun(id, words);
            else currentTarget.value = name;
          }}
        />
        <small data-testid="run-changes">{changesOf(run.config)}</small>
        <small class="muted">
          {new Date(run.created).toLocaleString('en-GB', DATE)} · {device.kind.toUpperCase()}
          {device.name.toLowerCase() === device.kind ? '' : ` ${device.name}`}
          {workerWords(device)}
        </small>
        {run.message && (
          <small class="muted" data-testid="run-message">
            {sentence(run.message)}
          </small>
        )}
      </td>
      <td data-label="State">{STATES[state]}</td>
      <td data-label="Steps" data-testid="run-steps" data-value={last?.step ?? 0}>
        {count(last?.step ?? 0)}
        <small class="muted"> of {count(steps)}</small>
      </td>
      <td data-label="Bits per byte" data-testid="run-bits" data-value={held?.bits_per_byte}>
        {held ? nats(held.bits_per_byte) : '–'}
      </td>
      <td data-label="Tasks" data-testid="run-accuracy" data-value={score?.accuracy}>
        {score ? percent(score.accuracy) : '–'}
        {score && <small class="muted"> ± {percent(score.standard_error)}</small>}
      </td>
      <td data-label="Tokens/s">{speed === null ? '–' : si(speed)}</td>
      <td class="run-does">
        <div class="run-actions">
          <Actions run={run} />
        </div>
      </td>
    </tr>
  );
}

function Actions({ run }: { run: RunHead }) {
  const { id, name, state, weights } = run;
  const here = id === present.value;
  const going = state === 'running' || (here && live.value);
  return (
    <>
      <button
        type="button"
        class="quiet"
        aria-label={`Open ${name}`}
        title="Its curves, in the Train view"
        aria-disabled={live.value && !here}
        onClick={() => void open(run)}
        data-testid="open-run"
      >
        Open
      </button>
      <button
        type="button"
        class="quiet"
        aria-label={`Use the settings of ${name}`}
        title="Put its settings into the form"
        onClick={() => useSettings(run)}
        data-testid="use-settings"
      >
        Use settings
      </button>
      {weights && !going && (
        <button
          type="button"
          class="quiet"
          aria-label={`${goesOn(run)}: ${name}`}
          title={`From step ${count(weights.step)}, with its own settings`}
          aria-disabled={!can.load.value}
          onClick={() => goOn(run)}
          data-testid="run-go-on"
        >
          {goesOn(run)}
        </button>
      )}
      {weights && (
        <button
          type="button"
          class="quiet"
          aria-label={`Download the weights of ${name}`}
          title={`Weights and optimizer state at step ${count(weights.step)}, ${bytes(weights.bytes)}`}
          onClick={() => void saveWeights(run)}
          data-testid="run-weights"
        >
          Weights
        </button>
      )}
      {!going && <DeleteRuns runs={[run]} label="Delete" />}
    </>
  );
}

const goesOn = ({ state }: RunHead): string => (state === 'finished' ? 'Bring back' : 'Go on');
