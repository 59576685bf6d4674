// A run of the past in the Train view: its curves, and the ways on.

import { goOn } from '../checkpoint/actions';
import { can } from '../run/actions';
import { Notice } from '../shell/notice';
import { past, record } from '../state';
import { headOf } from '../store/runs';
import { putAway } from './actions';

export function PastRun() {
  const shown = past.value;
  const head = shown && shown.record === record.value ? headOf(shown.run) : undefined;
  if (!head) return null;
  return (
    <Notice tone="info" title={`You look at ${head.name}`} testid="past-run" onDismiss={putAway}>
      <p>
        Its curves are those below. The settings are still yours; the next run takes its place here, not in
        the list of runs.
      </p>
      {head.weights && (
        <button
          type="button"
          class="action"
          aria-disabled={!can.load.value}
          onClick={() => void goOn(head.id)}
          data-testid="past-go-on"
        >
          Go on with it
        </button>
      )}
    </Notice>
  );
}
