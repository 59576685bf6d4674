// How the charts are drawn.

import { Select, Toggle } from './inputs';
import { logX, logY, smoothing, UNIT_LABELS, unit, type XAxis, xAxis, zoom } from './view';

export const X_CHOICES: Record<XAxis, string> = {
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
        value={xAxis.value}
        testid="x-axis"
        change={(value) => {
          xAxis.value = value;
          // A stretch of steps is no stretch of seconds.
          resetZoom();
        }}
      />
      <Select
        label="Loss in"
        choices={UNIT_LABELS}
        value={unit.value}
        testid="unit"
        change={(value) => {
          unit.value = value;
        }}
      />
      <Toggle
        label="Log x"
        value={logX.value}
        testid="log-x"
        change={(on) => {
          logX.value = on;
        }}
      />
      <Toggle
        label="Log y"
        value={logY.value}
        testid="log-y"
        change={(on) => {
          logY.value = on;
        }}
      />
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
