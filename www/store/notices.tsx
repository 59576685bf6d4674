// Why runs are not stored, and the way to take them along all the same.

import { save } from '../charts/save';
import { sentence } from '../errors';
import { Notice } from '../shell/notice';
import { trouble } from './database';
import { experimentName, writeExperiment } from './experiment';
import { unsaved } from './recording';
import { loadRuns } from './runs';

export function StoreNotices() {
  if (trouble.value === null) return null;
  const runs = unsaved.value.size;
  return (
    <Notice tone="warn" title="This browser does not store the runs" testid="not-stored">
      <p>{sentence(trouble.value)}</p>
      {runs > 0 && (
        <>
          <p>
            {runs === 1 ? 'A run is' : `${runs} runs are`} in this page’s memory alone, and gone when it is
            closed. Training goes on, and writing is tried again every ten seconds.
          </p>
          <button type="button" class="action" onClick={() => void take()} data-testid="take-unsaved">
            Save {runs === 1 ? 'it' : 'them'} as a file
          </button>
        </>
      )}
    </Notice>
  );
}

async function take(): Promise<void> {
  save(writeExperiment({ runs: await loadRuns([...unsaved.value]), sweeps: [] }), experimentName());
}

addEventListener('beforeunload', (event) => {
  if (trouble.value !== null && unsaved.value.size > 0) event.preventDefault();
});
