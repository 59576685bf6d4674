// Which device trains, and why.

import { openDevice } from '../client';
import type { DeviceChoice } from '../lab';
import { asked, device, live } from '../state';

const CHOICES: Record<DeviceChoice, string> = { auto: 'Automatic', gpu: 'GPU (WebGPU)', cpu: 'CPU' };

export function Devices() {
  const current = device.value;
  return (
    <div class="devices">
      <label class="inline-control">
        <span>Device</span>
        <select
          value={asked.value}
          disabled={live.value}
          title={live.value ? 'Stop the run to change the device' : undefined}
          data-testid="device-choice"
          onChange={(event) => openDevice(event.currentTarget.value as DeviceChoice)}
        >
          {Object.entries(CHOICES).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <p class="device-name" data-testid="device" data-kind={current?.kind}>
        {current ? (
          <>
            <strong>{current.kind.toUpperCase()}</strong>{' '}
            {current.name.toLowerCase() !== current.kind && current.name}
            {current.software && current.kind === 'gpu' ? ' (software)' : ''}
          </>
        ) : (
          'Looking for a device …'
        )}
      </p>
    </div>
  );
}
