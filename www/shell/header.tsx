// Name, one sentence, the views, the device, the scheme.

import { Devices } from '../device/devices';
import { type Scheme, scheme } from './scheme';
import { Navigation, view } from './views';

const SCHEMES: Record<Scheme, string> = { auto: 'System', light: 'Light', dark: 'Dark' };

export function Header() {
  return (
    <header class="header">
      <div class="brand">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="8" />
          <path d="M6 7c3 12 8 17 20 18" />
        </svg>
        <div>
          <h1>trainlab</h1>
          <p>Train a small GPT on your own machine, and watch it learn.</p>
        </div>
      </div>
      <Navigation />
      <div class="header-controls">
        <Devices />
        <label class="inline-control">
          <span>Colours</span>
          <select
            value={scheme.value}
            onChange={(event) => {
              scheme.value = event.currentTarget.value as Scheme;
            }}
          >
            {Object.entries(SCHEMES).map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
        {view.value === 'train' && (
          <button type="button" class="quiet jump" onClick={jump}>
            Settings
          </button>
        )}
      </div>
    </header>
  );
}

/** No link, since the address's fragment is the config's. */
function jump(): void {
  const target = document.getElementById('settings');
  target?.scrollIntoView();
  target?.focus({ preventScroll: true });
}
