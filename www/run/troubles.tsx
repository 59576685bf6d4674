// What ended the run, and the ways on.

import { goOn } from '../checkpoint/actions';
import { launch, openDevice } from '../client';
import { sentence } from '../errors';
import { count } from '../format';
import { Notice } from '../shell/notice';
import { kept, phase, trouble } from '../state';
import { train } from './actions';

/** From the last checkpoint, where this run has one. */
function WaysOn() {
  if (kept.value?.state !== 'ours')
    return (
      <p>
        The weights went with it, so either way begins at step 1; charts and samples can still be exported
        now.
      </p>
    );
  const step = count(kept.value.step);
  const from = (device: 'gpu' | 'cpu') => () => {
    openDevice(device);
    goOn();
  };
  return (
    <>
      <p>The weights went with it, but step {step} is kept in this browser.</p>
      <button type="button" class="action primary" onClick={from('gpu')} data-testid="go-on-gpu">
        Go on from step {step} on the GPU
      </button>
      <button type="button" class="action primary" onClick={from('cpu')} data-testid="go-on-cpu">
        Go on from step {step} on the CPU
      </button>
    </>
  );
}

export function Troubles() {
  if (trouble.value === null) return null;
  const message = sentence(trouble.value);
  const again = (device: 'gpu' | 'cpu') => () => {
    openDevice(device);
    train();
  };
  switch (phase.value) {
    case 'lost':
      return (
        <Notice tone="bad" title="The device was lost" testid="lost">
          <p>{message}</p>
          <WaysOn />
          <button type="button" class="action" onClick={again('gpu')} data-testid="again-gpu">
            Start again on the GPU
          </button>
          <button type="button" class="action" onClick={again('cpu')} data-testid="again-cpu">
            Go on with the CPU device
          </button>
        </Notice>
      );
    case 'crashed':
      return (
        <Notice tone="bad" title="The lab broke down" testid="crashed">
          <p>{message}</p>
          <button type="button" class="action" onClick={launch} data-testid="relaunch">
            Start the lab anew
          </button>
        </Notice>
      );
    case 'failed':
      return (
        <Notice tone="bad" title="The run stopped itself" testid="failed">
          <p>{message}</p>
        </Notice>
      );
    default:
      return (
        <Notice tone="warn" title="Not training" testid="refused" onDismiss={forget}>
          <p>{message}</p>
        </Notice>
      );
  }
}

function forget(): void {
  trouble.value = null;
}
