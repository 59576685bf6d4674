// What the visitor can do with a run, and when. Buttons and keys share these.

import { computed } from '@preact/signals';
import { send, stop as stopWorker } from '../client';
import { getKnown, setKnown } from '../config/values';
import { controlId } from '../form/field';
import {
  config,
  live,
  loading,
  phase,
  problems,
  readiness,
  record,
  revision,
  sampling,
  trouble,
} from '../state';
import { newId } from '../store/id';

const canBegin = computed(
  () => !live.value && !loading.value && phase.value !== 'waking' && phase.value !== 'crashed',
);
/** A stopped or finished run still has its weights. */
const hasWeights = computed(
  () => record.value !== null && ['running', 'paused', 'stopped', 'finished'].includes(phase.value),
);

const STEPS = 'training.steps';
/** The settings are those of the run that ended, but for its length. */
const sameRun = computed(() => {
  const run = record.value;
  if (!run || !['stopped', 'finished'].includes(phase.value)) return false;
  const steps = getKnown(config.value, STEPS);
  return JSON.stringify(setKnown(run.config, STEPS, steps)) === JSON.stringify(config.value);
});
const longer = computed(() => {
  // The record is no signal; this counts its changes.
  revision.value;
  return Number(getKnown(config.value, STEPS)) > (record.value?.step ?? 0);
});

export const can = {
  train: canBegin,
  trainOn: computed(() => sameRun.value && longer.value),
  pause: computed(() => phase.value === 'running'),
  resume: computed(() => phase.value === 'paused'),
  step: computed(() => canBegin.value || phase.value === 'paused'),
  stop: live,
  sample: hasWeights,
  save: hasWeights,
  load: canBegin,
};

export function train(): void {
  if (!can.train.value || !settled()) return;
  begin();
  send({ type: 'train', run: newId(), config: config.value });
}

/** After a loss: from where the run was last saved. */
export function recover(): void {
  begin();
  send({ type: 'recover' });
}

export function trainOn(): void {
  if (!can.trainOn.value || !settled()) return;
  const steps = Number(getKnown(config.value, STEPS));
  begin();
  send({ type: 'train-on', steps });
}

export function step(): void {
  if (!can.step.value) return;
  if (phase.value !== 'paused') {
    if (!settled()) return;
    begin();
  }
  send({ type: 'step', run: newId(), config: config.value });
}

export function pauseOrResume(): void {
  if (can.pause.value) send({ type: 'pause' });
  else if (can.resume.value) send({ type: 'resume' });
}

export function stop(): void {
  if (can.stop.value) stopWorker();
}

/** The seed that was last asked with, and how often: each press draws another text, the first one that of the seed. */
let seed = { set: Number.NaN, presses: 0 };

export function sample(): void {
  if (!can.sample.value || sampling.value) return;
  sampling.value = true;
  const set = Number(getKnown(config.value, 'evaluation.sample_seed'));
  seed = { set, presses: set === seed.set ? seed.presses + 1 : 0 };
  const sample_seed = (set + seed.presses) % 2 ** 32;
  send({ type: 'sample', evaluation: { ...config.value.evaluation, sample_seed } });
}

function begin(): void {
  phase.value = 'starting';
  readiness.value = 0;
  trouble.value = null;
}

/** Leads to the first setting that does not fit. */
function settled(): boolean {
  const [first] = problems.value;
  if (!first) return true;
  trouble.value =
    problems.value.length === 1
      ? 'One setting does not fit. It is marked in the settings.'
      : `${problems.value.length} settings do not fit. They are marked in the settings.`;
  document.getElementById(controlId(first.field))?.focus();
  return false;
}
