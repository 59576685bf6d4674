// A sweep: how far it is, its runs, what they came to.

import { useEffect, useState } from 'preact/hooks';
import { Comparison } from '../compare/comparison';
import { duration, percent, si } from '../format';
import { loadRuns } from '../store/runs';
import type { StoredRun } from '../store/types';
import { duplicate, erase, repeat, saveCsv, saveJson, saveYaml } from './actions';
import { standing } from './list';
import { Members } from './members';
import { isOver, share, timeLeft, totalFlops } from './progress';
import { costing, elsewhere, go, lives, pace, pause, stop } from './queue';
import { change, working } from './store';
import type { Sweep } from './types';

export function Detail({ sweep, onGone }: { sweep: Sweep; onGone: () => void }) {
  const runs = useFinished(sweep);
  return (
    <>
      <section
        class="panel"
        aria-labelledby="sweep-title"
        data-testid="sweep-page"
        data-state={stateOf(sweep)}
      >
        <div class="sweep-head">
          <h3 id="sweep-title" class="visually-hidden">
            {sweep.name}
          </h3>
          <input
            type="text"
            class="sweep-name"
            aria-label="Name of the sweep"
            value={sweep.name}
            onChange={({ currentTarget }) => {
              const name = currentTarget.value.trim();
              if (name) change(sweep.id, { name });
              else currentTarget.value = sweep.name;
            }}
            disabled={locked(sweep)}
            data-testid="sweep-name"
          />
          <span class="spacer" />
          <Files sweep={sweep} onGone={onGone} />
        </div>
        {sweep.definition.description && <p class="help">{sweep.definition.description}</p>}
        <Progress sweep={sweep} />
        <Members sweep={sweep} locked={locked(sweep)} />
      </section>
      {runs.length > 0 && (
        <Comparison
          runs={runs}
          name={`sweep ${sweep.id}`}
          onRepeat={(chosen, count) => repeat(sweep, chosen, count)}
        />
      )}
    </>
  );
}

/** Another tab is at work on it. */
const locked = ({ id, state }: Sweep): boolean =>
  elsewhere.value && id !== working.value && (state === 'running' || state === 'queued');

const stateOf = ({ state }: Sweep): Sweep['state'] => state;

function Progress({ sweep }: { sweep: Sweep }) {
  const { id, members, state, message } = sweep;
  const here = working.value === id;
  const over = members.filter(isOver).length;
  return (
    <>
      <div class="sweep-progress">
        {here ? (
          <button type="button" class="action primary" onClick={() => pause(id)} data-testid="pause-sweep">
            Pause
          </button>
        ) : state === 'queued' ? (
          <button
            type="button"
            class="action"
            aria-disabled={locked(sweep)}
            onClick={() => locked(sweep) || pause(id)}
            data-testid="pause-sweep"
          >
            Not now
          </button>
        ) : (
          <button
            type="button"
            class="action primary"
            aria-disabled={locked(sweep) || over === members.length}
            onClick={() => locked(sweep) || over === members.length || go(id)}
            data-testid="go-sweep"
          >
            {state === 'ready' ? 'Start' : 'Go on'}
          </button>
        )}
        <button
          type="button"
          class="action"
          aria-disabled={locked(sweep) || over === members.length}
          onClick={() => locked(sweep) || stop(id)}
          data-testid="stop-sweep"
        >
          Stop
        </button>
        <progress
          value={share(members, lives.value)}
          max={1}
          aria-label="Of the whole sweep"
          data-testid="sweep-share"
        />
        <span class="muted" data-testid="sweep-left">
          {over} of {members.length} runs, {percent(share(members, lives.value))}
          {here && left(sweep)}
        </span>
      </div>
      <p role="status" class="help" data-testid="sweep-said">
        {standing(sweep)}
        {message && `. ${message}`}
        {here &&
          costing.value &&
          `: working out how many steps each run gets, ${costing.value.done} of ${costing.value.of}`}
      </p>
    </>
  );
}

function left({ members }: Sweep): string {
  const total = totalFlops(members);
  const seconds = timeLeft(members, lives.value, pace.value);
  const work = total === null ? '' : ` of ${si(total)}FLOP`;
  return `${work}${seconds === null ? '' : ` · about ${duration(seconds)} left`}`;
}

function Files({ sweep, onGone }: { sweep: Sweep; onGone: () => void }) {
  const [sure, ask] = useState(false);
  const busy = working.value === sweep.id || locked(sweep);
  return (
    <>
      <button type="button" class="quiet" onClick={() => saveCsv(sweep)} data-testid="sweep-csv">
        Save CSV
      </button>
      <button type="button" class="quiet" onClick={() => saveJson(sweep)} data-testid="sweep-json">
        Save JSON
      </button>
      <button
        type="button"
        class="quiet"
        onClick={() => void saveYaml({ ...sweep.definition, name: sweep.name })}
        data-testid="sweep-yaml"
      >
        Save as YAML
      </button>
      <button type="button" class="quiet" onClick={() => duplicate(sweep)} data-testid="duplicate-sweep">
        Duplicate
      </button>
      <button
        type="button"
        class="quiet"
        aria-disabled={busy}
        title={busy ? 'Pause it first' : undefined}
        onBlur={() => ask(false)}
        onClick={() => {
          if (busy) return;
          if (!sure) return ask(true);
          onGone();
          void erase(sweep);
        }}
        data-testid="delete-sweep"
      >
        {sure ? 'Delete it and its runs?' : 'Delete'}
      </button>
    </>
  );
}

/** The runs that came to something, with their points: read again whenever another has. */
function useFinished({ members }: Sweep): StoredRun[] {
  const [runs, setRuns] = useState<StoredRun[]>([]);
  const ids = members
    .filter(({ state }) => state === 'finished' || state === 'diverged')
    .map(({ run }) => run);
  useEffect(() => {
    let wanted = true;
    loadRuns(ids).then(
      (loaded) => wanted && setRuns(loaded),
      () => {},
    );
    return () => {
      wanted = false;
    };
  }, [ids.join()]);
  return runs;
}
