// Single-letter shortcuts: listed, and with a switch, since they get in the way of speech input.

import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { pauseOrResume, step, stop, train, trainOn } from './actions';

const enabled = signal(true);

const KEYS: { key: string; does: string; act: () => void }[] = [
  { key: 't', does: 'Train', act: train },
  { key: 'p', does: 'Pause or resume', act: pauseOrResume },
  { key: 's', does: 'One step', act: step },
  { key: 'x', does: 'Stop', act: stop },
  { key: 'o', does: 'Train a run that ended on', act: trainOn },
];

export function Keys() {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (!enabled.value || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      // Whoever types or chooses means the letter itself.
      if ((event.target as Element).closest('input:not([type=range],[type=checkbox]), textarea, select'))
        return;
      const found = KEYS.find(({ key }) => key === event.key.toLowerCase());
      if (!found) return;
      event.preventDefault();
      found.act();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
  return (
    <details class="keys" data-testid="keys">
      <summary>Keys</summary>
      <div class="popover">
        <dl>
          {KEYS.map(({ key, does }) => (
            <div key={key}>
              <dt>
                <kbd>{key.toUpperCase()}</kbd>
              </dt>
              <dd>{does}</dd>
            </div>
          ))}
        </dl>
        <label class="check">
          <input
            type="checkbox"
            checked={enabled.value}
            onChange={(event) => {
              enabled.value = event.currentTarget.checked;
            }}
          />
          Use these keys
        </label>
      </div>
    </details>
  );
}
