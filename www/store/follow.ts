// The run of the Train view into the database, as the worker tells of it.

import type { Event } from '../protocol';
import type { RunRecord } from '../record';
import { record } from '../state';
import { Recording } from './recording';
import { storedRuns } from './runs';

let recording: Recording | null = null;

export function followRun(event: Event): void {
  switch (event.type) {
    case 'started':
      if (record.value) begin(event.run, record.value);
      break;
    case 'metrics':
    case 'evaluation':
    case 'scores':
    case 'examples':
      recording?.grow();
      break;
    case 'pieces':
      if (event.done) recording?.grow();
      break;
    case 'running':
    case 'paused':
    case 'stopped':
    case 'finished':
      recording?.become(event.type);
      break;
    case 'failed':
      if (recording?.live) recording.become(event.diverged ? 'diverged' : 'failed', event.message);
      break;
    case 'lost':
    case 'crashed':
      if (recording?.live) recording.become('interrupted', event.message);
      break;
    case 'ready':
      // A worker that was replaced says nothing more.
      if (recording?.live) recording.become('interrupted', 'The lab was started anew.');
      break;
  }
}

function begin(run: string, news: RunRecord): void {
  if (recording?.id === run) recording.retake(news);
  else {
    void recording?.close();
    recording = new Recording({ id: run, name: nextName(), sweep: null, state: 'paused' }, news);
  }
}

/** Writes no more of a run that is to be deleted; false where it is live. */
export async function letGo(run: string): Promise<boolean> {
  if (recording?.id !== run) return true;
  if (recording.live) return false;
  await recording.abandon();
  recording = null;
  return true;
}

function nextName(): string {
  const numbers = storedRuns.value.map(({ name }) => Number(/^Run (\d+)$/.exec(name)?.[1] ?? 0));
  return `Run ${1 + Math.max(0, ...numbers)}`;
}

// A hidden page may go away without another word.
document.addEventListener('visibilitychange', () => void recording?.flush());
addEventListener('pagehide', () => void recording?.flush());
