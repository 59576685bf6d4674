// Which device trains, and why.

import { openDevice, share } from '../client';
import type { DeviceChoice } from '../lab';
import { asked, device, live } from '../state';
import { choices } from './workers';

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
      {current?.kind === 'cpu' && choices.length > 1 && (
        <label class="inline-control">
          <span>Workers</span>
          <select
            value={current.workers ?? 1}
            disabled={live.value}
            title={
              live.value
                ? 'Stop the run to change how many workers the next one has'
                : 'Each makes the gradient of its share of every batch, where steps are large enough'
            }
            data-testid="workers"
            onChange={(event) => share(Number(event.currentTarget.value))}
          >
            {choices.map((count) => (
              <option key={count} value={count}>
                {count}
              </option>
            ))}
          </select>
        </label>
      )}
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
