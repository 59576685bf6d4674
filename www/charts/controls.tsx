// How the charts are drawn.

import type { Signal } from '@preact/signals';
import { logX, logY, smoothing, UNIT_LABELS, type Unit, unit, type XAxis, xAxis, zoom } from './view';

const X_CHOICES: Record<XAxis, string> = {
  step: 'Steps',
  tokens: 'Tokens',
  seconds: 'Seconds',
  flops: 'FLOPs',
};

export function ChartControls() {
  return (
    <div class="chart-controls">
      <Select
        label="Across"
        choices={X_CHOICES}
        of={xAxis}
        testid="x-axis"
        // A stretch of steps is no stretch of seconds.
        changed={resetZoom}
      />
      <Select label="Loss in" choices={UNIT_LABELS as Record<Unit, string>} of={unit} testid="unit" />
      <Toggle label="Log x" of={logX} testid="log-x" />
      <Toggle label="Log y" of={logY} testid="log-y" />
      <label class="inline-control">
        <span>Smoothing</span>
        <input
          type="range"
          min="0"
          max="0.99"
          step="0.01"
          value={smoothing.value}
          data-testid="smoothing"
          onInput={(event) => {
            smoothing.value = Number(event.currentTarget.value);
          }}
        />
        <output>{smoothing.value.toFixed(2)}</output>
      </label>
      {zoom.value && (
        <button type="button" class="quiet" onClick={resetZoom} data-testid="reset-zoom">
          Whole range
        </button>
      )}
    </div>
  );
}

function resetZoom(): void {
  zoom.value = null;
}

type SelectProps<Key extends string> = {
  label: string;
  choices: Record<Key, string>;
  of: Signal<Key>;
  testid: string;
  changed?: () => void;
};

function Select<Key extends string>({ label, choices, of, testid, changed }: SelectProps<Key>) {
  return (
    <label class="inline-control">
      <span>{label}</span>
      <select
        value={of.value}
        data-testid={testid}
        onChange={(event) => {
          of.value = event.currentTarget.value as Key;
          changed?.();
        }}
      >
        {Object.entries<string>(choices).map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

function Toggle({ label, of, testid }: { label: string; of: Signal<boolean>; testid: string }) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={of.value}
        data-testid={testid}
        onChange={(event) => {
          of.value = event.currentTarget.checked;
        }}
      />
      {label}
    </label>
  );
}
