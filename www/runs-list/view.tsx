// All runs that this browser has: listed, kept within bounds, taken away and brought, compared.

import { useRef } from 'preact/hooks';
import { chosen } from '../form/chosen';
import { ViewTitle } from '../shell/views';
import { listed, storedRuns } from '../store/runs';
import { chosenRuns, openExperiment, said, saveExperiment } from './actions';
import { Compared } from './compared';
import { DeleteRuns } from './delete';
import { List } from './list';
import { Storage } from './storage';

export function RunsView() {
  const runs = storedRuns.value;
  return (
    <>
      <section class="panel runs-list" aria-labelledby="runs-title">
        <div class="panel-head">
          <ViewTitle id="runs-title">Runs</ViewTitle>
          <Files />
        </div>
        <p role="status" class={said.value?.bad ? 'problem' : 'help'} data-testid="runs-said">
          {said.value?.words}
        </p>
        {runs.length > 0 ? (
          <List runs={runs} />
        ) : (
          <p class="muted" data-testid="no-runs">
            {listed.value
              ? 'No runs yet. Each run that you train is listed here, and stays when the page is closed.'
              : 'Looking for runs …'}
          </p>
        )}
        <Storage />
      </section>
      {runs.length > 0 && <Compared />}
    </>
  );
}

/** Runs as a file: those that are chosen, or all. */
function Files() {
  const chooser = useRef<HTMLInputElement>(null);
  const some = chosenRuns();
  const what = some.length > 0 ? some : storedRuns.value;
  return (
    <div class="chart-files">
      {some.length > 0 && <DeleteRuns runs={some} />}
      <button
        type="button"
        class="quiet"
        disabled={what.length === 0}
        title="A file with these runs’ settings and curves, to be opened in another browser. Weights are not in it"
        onClick={() => void saveExperiment(what)}
        data-testid="save-experiment"
      >
        {some.length > 0 ? `Save ${some.length} to a file` : 'Save all to a file'}
      </button>
      <button
        type="button"
        class="quiet"
        title="Choose a file that was saved so, or drop it on the page"
        onClick={() => chooser.current?.click()}
        data-testid="open-experiment"
      >
        Open a file
      </button>
      <input
        ref={chooser}
        type="file"
        accept=".json"
        hidden
        aria-label="A file of runs"
        data-testid="experiment-file"
        onChange={chosen((file) => void openExperiment(file))}
      />
    </div>
  );
}
