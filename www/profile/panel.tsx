// Where a step's time goes: measured when asked for.

import { count, figures, percent, si } from '../format';
import type { Measured } from '../protocol';
import { noProfile, profile, profiling } from '../state';
import { canMeasure, end, measure, obstacle, outdated, saveProfile } from './actions';
import { Kernels } from './table';

export function ProfilePanel() {
  const measured = profile.value;
  return (
    <details class="panel profile" data-testid="profile">
      <summary>
        <h2>Where a step’s time goes</h2>
        <span class="muted">{measured ? brief(measured) : 'each kernel, and what holds it back'}</span>
      </summary>
      <p class="help">
        Plays each kernel of a training step alone, again and again, with the settings as they are. Whatever
        you do meanwhile, be it a changed setting or Train, ends the measurement.
      </p>
      <Measurement />
      {measured && <Result measured={measured} />}
    </details>
  );
}

function Measurement() {
  const share = profiling.value;
  const said = share === null ? (obstacle.value ?? noProfile.value) : null;
  return (
    <>
      <div class="measurement">
        <button
          type="button"
          class="action"
          aria-disabled={!canMeasure.value}
          aria-describedby="profile-said"
          onClick={measure}
          data-testid="measure"
        >
          {share === null ? 'Measure' : 'Measuring …'}
        </button>
        <button
          type="button"
          class="action"
          aria-disabled={share === null}
          aria-label="Stop measuring"
          onClick={end}
          data-testid="end-profile"
        >
          Stop
        </button>
        {share !== null && (
          <progress value={share} max={1} aria-label="Kernels timed" data-testid="profiling" />
        )}
        {profile.value && (
          <button type="button" class="quiet" onClick={saveProfile} data-testid="save-profile">
            Save CSV
          </button>
        )}
      </div>
      <p class="help" id="profile-said" role="status" data-testid="profile-said">
        {said ?? (share === null && profile.value ? `${kernels(profile.value)} are timed.` : '')}
      </p>
    </>
  );
}

function Result({ measured }: { measured: Measured }) {
  const { device, ceiling } = measured;
  const others = outdated(measured);
  return (
    <div data-testid="profile-result" data-current={others.length === 0}>
      {others.length > 0 && (
        <p class="outdated" data-testid="profile-of">
          <strong>Changed since; this was measured with:</strong> {others.join(', ')}.
        </p>
      )}
      <p>
        {device.kind === 'gpu' ? device.name : 'The CPU'} computes{' '}
        <b data-testid="best-gflops" data-value={ceiling.gflops}>
          {si(ceiling.gflops * 1e9)}FLOP/s
        </b>{' '}
        at best and moves{' '}
        <b data-testid="best-gigabytes" data-value={ceiling.gigabytes}>
          {si(ceiling.gigabytes * 1e9)}B/s
        </b>
        , as measured beside the kernels. These add up to{' '}
        <b data-testid="profile-step" data-value={stepMilliseconds(measured)}>
          {figures(stepMilliseconds(measured))} ms
        </b>{' '}
        a step{(device.workers ?? 1) > 1 && ', by one worker alone'}.
      </p>
      <p class="help">
        A kernel near the best FLOP/s is bound by arithmetic, one near the best bytes per second by memory,
        one near neither by latency or by how it is written. Small tensors stay in caches, which may exceed
        100%.
      </p>
      <Kernels measured={measured} />
    </div>
  );
}

const stepMilliseconds = ({ kernels }: Measured): number =>
  kernels.reduce((sum, { count, milliseconds }) => sum + count * milliseconds, 0);

const kernels = (measured: Measured): string => `${count(measured.kernels.length)} kernels`;

function brief(measured: Measured): string {
  const [first] = measured.kernels;
  const most = first ? ` · ${first.kernel} ${percent(first.share)}` : '';
  return `${figures(stepMilliseconds(measured))} ms in ${kernels(measured)}${most}`;
}
