// What ended the run, and the ways on.

import { launch } from '../client';
import { LostForGood } from '../device/loss';
import { sentence } from '../errors';
import { Notice } from '../shell/notice';
import { phase, trouble } from '../state';

export function Troubles() {
  if (trouble.value === null) return null;
  const message = sentence(trouble.value);
  switch (phase.value) {
    case 'lost':
      return <LostForGood />;
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
