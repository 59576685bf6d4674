// What the visitor can do about a profile, and what stands in the way.

import { computed } from '@preact/signals';
import { csv, csvFile } from '../charts/csv';
import { save } from '../charts/save';
import { send } from '../client';
import { differences, get } from '../config/values';
import type { Measured } from '../protocol';
import {
  config,
  device,
  loading,
  noProfile,
  phase,
  plan,
  profile,
  profiling,
  sampling,
  sections,
} from '../state';

/** Why nothing can be measured now. */
export const obstacle = computed((): string | null => {
  if (phase.value === 'waking' || phase.value === 'crashed') return 'The lab is not ready.';
  if (phase.value === 'starting' || loading.value) return 'A run is being made ready.';
  if (phase.value === 'running') return 'The run needs the device for itself: pause or stop it first.';
  if (sampling.value) return 'A text is being written.';
  if (!plan.value) return 'There is nothing to measure until the settings give a plan.';
  return null;
});

export const canMeasure = computed(() => obstacle.value === null && profiling.value === null);

export function measure(): void {
  if (!canMeasure.value) return;
  profiling.value = 0;
  noProfile.value = null;
  send({ type: 'profile', config: config.value });
}

export function end(): void {
  if (profiling.value !== null) send({ type: 'end-profile' });
}

/** In what the measured step differs from the present settings and device. */
export function outdated(measured: Measured): string[] {
  const settings = differences(measured.config, config.value, sections.value);
  const changed = settings.map((path) => `${path} = ${get(measured.config, path)}`);
  const { kind, name } = measured.device;
  if (device.value?.kind === kind && device.value.name === name) return changed;
  return [`the ${kind.toUpperCase()}`, ...changed];
}

export const ofBest = (
  { ceiling }: Measured,
  kernel: { gflops: number; gigabytes: number },
): { gflops: number; gigabytes: number } => ({
  gflops: kernel.gflops / ceiling.gflops,
  gigabytes: kernel.gigabytes / ceiling.gigabytes,
});

/** A row a kernel, and one for what the device does at best. */
export function toCsv(measured: Measured): string {
  const head = ['kernel', 'label', 'shape', 'tiling', 'times_a_step', 'milliseconds', 'share', 'gflops'];
  const { ceiling, kernels } = measured;
  return csv([
    [...head, 'gflops_of_best', 'gigabytes_per_second', 'gigabytes_of_best'],
    ...kernels.map((time) => {
      const { kernel, label, shape, tiling, count, milliseconds, share, gflops, gigabytes } = time;
      const best = ofBest(measured, time);
      const rates = [gflops, best.gflops, gigabytes, best.gigabytes];
      return [kernel, label, shape, tiling, count, milliseconds, share, ...rates];
    }),
    ['best', null, null, null, null, null, null, ceiling.gflops, 1, ceiling.gigabytes, 1],
  ]);
}

export function saveProfile(): void {
  if (profile.value) save(csvFile(toCsv(profile.value)), 'trainlab-profile.csv');
}
