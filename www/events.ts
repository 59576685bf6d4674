// Folds the worker's events into the page's state.

import { sentence } from './errors';
import type { Event } from './protocol';
import { RunRecord } from './record';
import * as state from './state';

export function fold(event: Event): void {
  switch (event.type) {
    case 'ready':
      state.schema.value = event.schema;
      state.defaults.value = event.defaults;
      state.phase.value = 'idle';
      state.loading.value = null;
      state.recovery.value = null;
      state.profiling.value = null;
      state.tokenizing.value = null;
      // A new worker has no run.
      state.present.value = null;
      state.kept.value = null;
      break;
    case 'device':
      state.device.value = event.device;
      state.missing.value = event.missing;
      state.deviceRefusal.value = null;
      state.workersLost.value = null;
      break;
    case 'workers':
      state.device.value = event.device;
      break;
    case 'device-refused':
      state.deviceRefusal.value = event.message;
      state.asked.value = state.device.value?.kind ?? 'auto';
      state.missing.value = event.missing;
      break;
    case 'text-progress':
      state.download.value = event.received === event.total ? null : event;
      break;
    case 'own-text':
      state.ownText.value = event.facts;
      state.ownRefusal.value = null;
      break;
    case 'own-text-refused':
      state.ownRefusal.value = `${event.name} was not taken. ${event.message}`;
      break;
    case 'tokenizer-file':
      state.tokenizerFile.value = event.facts;
      state.tokenizerRefusal.value = null;
      break;
    case 'tokenizer-refused':
      state.tokenizerRefusal.value = `${event.name} was not taken. ${sentence(event.message)}`;
      break;
    case 'tokenizing':
      state.tokenizing.value = event;
      state.waitsForTokenizer.value = false;
      break;
    case 'tokenized':
      state.tokenizing.value = null;
      break;
    case 'planned':
      // The settings fit again: whatever a refusal said is settled.
      if (!['failed', 'lost', 'crashed'].includes(state.phase.value)) state.trouble.value = null;
      break;
    case 'starting':
      state.readiness.value = event.share;
      break;
    case 'started':
      begin(event);
      touch();
      break;
    case 'refused':
      state.problems.value = event.problems;
      end('idle', event.message);
      break;
    case 'running':
    case 'paused':
    case 'stopped':
    case 'finished':
      // With the last of what led here: who reads that a run is finished finds its last sample.
      draw();
      state.phase.value = event.type;
      state.trouble.value = null;
      break;
    case 'crashed':
      state.tokenizing.value = null;
      end('crashed', event.message);
      break;
    case 'failed':
      end('failed', event.message);
      break;
    case 'workers-lost':
      state.workersLost.value = event.message;
      break;
    case 'recovering':
      state.recovery.value = { ...lost(event), back: false };
      break;
    case 'recovered':
      if (state.recovery.value) state.recovery.value = { ...state.recovery.value, back: true };
      break;
    case 'lost':
      state.loss.value = lost(event);
      end('lost', event.message);
      break;
    case 'metrics':
      for (const metric of event.metrics) state.record.value?.train.push(metric);
      touch();
      break;
    case 'evaluation':
      state.record.value?.addEvaluation(event.evaluation, event.positions);
      touch();
      break;
    case 'scores':
      state.record.value?.addScores(event.scores);
      touch();
      break;
    case 'examples':
      state.record.value?.setExamples(event.examples);
      touch();
      break;
    case 'own-tasks':
      state.ownTasks.value = event.facts;
      state.ownTasksRefusal.value = null;
      break;
    case 'own-tasks-refused':
      state.ownTasksRefusal.value = `${event.name} was not taken. ${sentence(event.message)}`;
      break;
    case 'sample':
      state.record.value?.addSample(event.sample);
      state.sampling.value = true;
      state.sampleRefusal.value = null;
      touch();
      break;
    case 'pieces':
      state.record.value?.addPieces(event.pieces, event.done);
      state.sampling.value = !event.done;
      touch();
      break;
    case 'sample-refused':
      state.sampling.value = false;
      state.sampleRefusal.value = event.message;
      break;
    case 'file-refused':
      state.loading.value = null;
      state.fileTrouble.value = {
        title: event.wanted === 'save' ? 'Nothing was saved' : 'This was not loaded',
        message: event.message,
      };
      break;
    case 'profiling':
      state.profiling.value = event.share;
      break;
    case 'profiled':
      state.profile.value = event.measured;
      state.profiling.value = null;
      break;
    case 'unprofiled':
      state.noProfile.value = event.message ?? 'It was ended before all kernels were timed.';
      state.profiling.value = null;
      break;
  }
}

function begin({ run, config, plan, device, from, continues }: Event & { type: 'started' }): void {
  const { kept, record, past } = state;
  const next = new RunRecord(config, plan, device, from ?? 0);
  const earlier = continues ? record.value : past.value?.run === run ? past.value.record : null;
  if (earlier) next.takeUp(earlier);
  record.value = next;
  past.value = null;
  if (!continues) {
    state.present.value = run;
    kept.value = null;
    state.offer.value = null;
    state.recovery.value = null;
  }
  state.workersLost.value = null;
  state.loading.value = null;
  state.fileTrouble.value = null;
  state.sampleRefusal.value = null;
  state.sampling.value = false;
}

function lost({ message, from }: { message: string; from: number | null }): state.Lost {
  const step = state.record.value?.step ?? 0;
  return { reason: message, from, repeated: from === null ? 0 : step - from };
}

/** The record grows hundreds of times a second; what is drawn from it need not. */
const DRAW_MS = 100;
let due: ReturnType<typeof setTimeout> | undefined;

function touch(): void {
  due ??= setTimeout(draw, DRAW_MS);
}

function draw(): void {
  clearTimeout(due);
  due = undefined;
  state.revision.value += 1;
}

function end(phase: state.Phase, message: string | null): void {
  draw();
  state.phase.value = phase;
  state.trouble.value = message;
  state.sampling.value = false;
  state.loading.value = null;
  state.recovery.value = null;
  state.profiling.value = null;
}
