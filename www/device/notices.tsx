// What the visitor should know about the device: why this one, what is missing, what went wrong.

import { sentence } from '../errors';
import type { DeviceInfo } from '../lab';
import { Notice } from '../shell/notice';
import { asked, device, deviceRefusal, missing, workersLost } from '../state';

export function DeviceNotices() {
  const current = device.value;
  const lack = missing.value;
  return (
    <>
      {deviceRefusal.value !== null && (
        <Notice tone="bad" title="This device could not be opened" testid="device-refusal">
          <p>{lack ?? sentence(deviceRefusal.value)}</p>
          {current && <p>The {current.kind === 'gpu' ? 'GPU' : 'CPU device'} stays in use.</p>}
          {lack && <InItsWords words={deviceRefusal.value} />}
        </Notice>
      )}
      {workersLost.value !== null && (
        <Notice
          tone="info"
          title="The run goes on without its workers"
          testid="workers-lost"
          onDismiss={() => {
            workersLost.value = null;
          }}
        >
          <p>
            One of them is gone: {sentence(workersLost.value)} Nothing is lost; the next run has workers
            again.
          </p>
        </Notice>
      )}
      {current && deviceRefusal.value === null && <Why device={current} lack={lack} />}
    </>
  );
}

/** Whoever asked for the CPU knows why it is in use. */
function Why({ device: { kind, note }, lack }: { device: DeviceInfo; lack: string | null }) {
  if ((note === null && lack === null) || asked.value === 'cpu') return null;
  return (
    <Notice
      tone="info"
      title={kind === 'cpu' ? 'Training on the CPU device' : 'Training on the GPU'}
      testid="device-note"
      dismissible
    >
      <p>{lack ?? (note && sentence(note))}</p>
      {lack && note && <InItsWords words={note} />}
    </Notice>
  );
}

/** For those who look into it further. */
function InItsWords({ words }: { words: string }) {
  return (
    <details>
      <summary>What the graphics layer says</summary>
      <p>{sentence(words)}</p>
    </details>
  );
}
