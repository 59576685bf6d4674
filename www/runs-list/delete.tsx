// Deleting runs, once that is confirmed: there is no way back.

import { useRef } from 'preact/hooks';
import { bytes, count } from '../format';
import type { RunHead } from '../store/types';
import { remove } from './actions';

export function DeleteRuns({ runs, label }: { runs: RunHead[]; label?: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [only] = runs;
  const what = runs.length === 1 && only ? only.name : `${count(runs.length)} runs`;
  const weights = runs.reduce((sum, run) => sum + (run.weights?.bytes ?? 0), 0);
  return (
    <>
      <button
        type="button"
        class="quiet"
        aria-label={label && `Delete ${what}`}
        onClick={() => dialog.current?.showModal()}
        data-testid="delete-runs"
      >
        {label ?? `Delete ${what}`}
      </button>
      <dialog ref={dialog} class="dialog" aria-label={`Delete ${what}`} data-testid="delete-dialog">
        <h3>Delete {what}?</h3>
        <p class="help">
          Curves and settings{weights > 0 ? `, and weights of ${bytes(weights)},` : ''} are gone from this
          browser for good.
        </p>
        <form method="dialog" class="dialog-buttons">
          <button type="submit" class="action">
            Keep {runs.length === 1 ? 'it' : 'them'}
          </button>
          <button
            type="submit"
            class="action primary"
            onClick={() => void remove(runs)}
            data-testid="delete-for-good"
          >
            Delete
          </button>
        </form>
      </dialog>
    </>
  );
}
