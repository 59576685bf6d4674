// Train, Pause, Step, Stop. A button that cannot be used now stays focusable, so that keyboard users keep their place.

import type { ReadonlySignal } from '@preact/signals';
import { phase, problems } from '../state';
import { can, pauseOrResume, step, stop, train, trainOn } from './actions';
import { Keys } from './keys';

export function Controls() {
  const resumes = phase.value === 'paused';
  return (
    <div class="controls">
      <Action
        label={phase.value === 'starting' ? 'Starting …' : 'Train'}
        shortcut="T"
        testid="train"
        kind="primary"
        able={can.train}
        blocked={problems.value.length > 0}
        act={train}
      />
      <Action
        label={resumes ? 'Resume' : 'Pause'}
        shortcut="P"
        testid="pause"
        kind={resumes ? 'primary' : ''}
        able={resumes ? can.resume : can.pause}
        act={pauseOrResume}
      />
      <Action label="Step" shortcut="S" testid="step" kind="" able={can.step} act={step} />
      <Action label="Stop" shortcut="X" testid="stop" kind="" able={can.stop} act={stop} />
      {can.trainOn.value && (
        <Action label="Train on" shortcut="O" testid="train-on" kind="" able={can.trainOn} act={trainOn} />
      )}
      <Keys />
    </div>
  );
}

type Props = {
  label: string;
  shortcut: string;
  testid: string;
  kind: string;
  able: ReadonlySignal<boolean>;
  /** Usable, but only leads to what has to be settled first. */
  blocked?: boolean;
  act: () => void;
};

function Action({ label, shortcut, testid, kind, able, blocked = false, act }: Props) {
  return (
    <button
      type="button"
      class={`action ${kind}`}
      aria-disabled={!able.value || blocked}
      aria-keyshortcuts={shortcut}
      data-testid={testid}
      onClick={act}
    >
      {label}
    </button>
  );
}
