// Save and Load, and what the browser keeps by itself.

import { useRef } from 'preact/hooks';
import { chosen } from '../form/chosen';
import { count } from '../format';
import { can } from '../run/actions';
import { kept, loading } from '../state';
import { load, save } from './actions';

export function RunFiles() {
  const chooser = useRef<HTMLInputElement>(null);
  const last = kept.value;
  return (
    <span class="run-files">
      {last && (
        <span
          class="muted"
          title="Kept in this browser, in case the page or the device goes away"
          data-testid="kept"
          data-value={last.step}
        >
          kept at step {count(last.step)}
        </span>
      )}
      <button
        type="button"
        class="quiet"
        title="Download the run: weights, optimizer state and settings"
        aria-disabled={!can.save.value}
        onClick={save}
        data-testid="save-run"
      >
        Save
      </button>
      <button
        type="button"
        class="quiet"
        title="Go on with a saved run: choose its file, or drop it anywhere on the page"
        aria-disabled={!can.load.value}
        onClick={() => can.load.value && chooser.current?.click()}
        data-testid="load-run"
      >
        {loading.value ? 'Loading …' : 'Load'}
      </button>
      <input
        ref={chooser}
        type="file"
        accept=".safetensors"
        hidden
        aria-label="A saved run’s file"
        data-testid="run-file"
        onChange={chosen(load)}
      />
    </span>
  );
}
