// What ended the run, and the ways on.

import { launch, openDevice } from '../client';
import { sentence } from '../errors';
import { Notice } from '../shell/notice';
import { phase, trouble } from '../state';
import { train } from './actions';

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
          <p>
            The weights went with it, so either way begins at step 1; charts and samples can still be exported
            now.
          </p>
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
