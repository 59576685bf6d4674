// What the visitor should know about the device: why this one, what is missing, what went wrong.

import { sentence } from '../errors';
import { Notice } from '../shell/notice';
import { asked, device, deviceRefusal, missing } from '../state';

export function DeviceNotices() {
  const current = device.value;
  const why = current?.note ?? null;
  // Whoever asked for the CPU knows why it is in use.
  const lack = asked.value === 'cpu' && !deviceRefusal.value ? null : missing.value;
  return (
    <>
      {deviceRefusal.value !== null && (
        <Notice tone="bad" title="This device could not be opened" testid="device-refusal">
          <p>{sentence(deviceRefusal.value)}</p>
          {current && <p>The {current.kind === 'gpu' ? 'GPU' : 'CPU device'} stays in use.</p>}
        </Notice>
      )}
      {(why ?? lack) !== null && (
        <Notice tone="info" title={titleOf(current?.kind)} testid="device-note" dismissible>
          <p>
            {why && sentence(why)} {lack}
          </p>
        </Notice>
      )}
    </>
  );
}

const titleOf = (kind: string | undefined): string =>
  kind === 'cpu' ? 'Training on the CPU device' : kind === 'gpu' ? 'Training on the GPU' : 'No GPU';
