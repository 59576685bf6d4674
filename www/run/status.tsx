// Where the run is, in large numbers. They change many times a second, so screen readers get a sentence now and then instead.

import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { RunFiles } from '../checkpoint/files';
import { getKnown } from '../config/values';
import { count, duration, nats, si } from '../format';
import { type Phase, phase, readiness, record, recovery, revision, tokenizing } from '../state';
import { progressOf } from '../tokenizer/readiness';

const WORDS: Record<Phase, string> = {
  waking: 'Loading the lab',
  idle: 'Ready',
  starting: 'Starting',
  running: 'Training',
  paused: 'Paused',
  stopped: 'Stopped',
  finished: 'Finished',
  failed: 'Failed',
  lost: 'Device lost',
  crashed: 'Broken down',
};

const word = (): string =>
  recovery.value && !recovery.value.back ? 'Getting the GPU back' : WORDS[phase.value];

/** How far the run is that is made ready. */
function beginnings(): string {
  if (tokenizing.value) return progressOf(tokenizing.value);
  return `${count(readiness.value * 100)}% of its kernels compiled`;
}

/** How often the spoken sentence may change while nothing but numbers does. */
const SPEAK_MS = 20_000;

export function Status() {
  // The record is no signal; this counts its changes.
  revision.value;
  const run = record.value;
  const now = run?.train.last() ?? null;
  const held = run?.validation.last() ?? null;
  const steps = run ? Number(getKnown(run.config, 'training.steps')) : 0;
  const left = now && now.step > 0 ? ((steps - now.step) * now.seconds) / now.step : null;
  const step = run?.step ?? 0;
  const leads = phase.value === 'running' && left !== null && left > 0;
  return (
    <div class="status" data-phase={phase.value} data-testid="status">
      <div class="progress-line">
        <strong data-testid="status-phase">{word()}</strong>
        {phase.value === 'starting' && <span>{beginnings()}</span>}
        <span data-testid="status-step" data-value={step}>
          {step > 0 ? `step ${count(step)} of ${count(steps)}` : 'no steps yet'}
        </span>
        <span class="muted">{leads ? `about ${duration(left)} left` : ''}</span>
        <RunFiles />
        <progress value={step} max={Math.max(steps, 1)} aria-label="Steps done" />
      </div>
      <dl class="figures">
        <Figure name="Train loss" tone="train">
          <Value testid="loss" value={now?.loss} show={nats} unit="nats per token" />
          <Value testid="bits-per-byte" value={now?.bits_per_byte} show={nats} unit="bits per byte" />
        </Figure>
        <Figure name="Validation loss" tone="validation">
          <Value testid="validation-loss" value={held?.loss} show={nats} unit="nats per token" />
          <Value
            testid="validation-bits-per-byte"
            value={held?.bits_per_byte}
            show={nats}
            unit="bits per byte"
          />
        </Figure>
        <Figure name="Speed">
          <Value
            testid="tokens-per-second"
            value={now?.tokens_per_second}
            show={si}
            unit="tokens per second"
          />
          {run && <State bytes={run.plan.optimizer_bytes_per_parameter} />}
        </Figure>
        <Figure name="Seen">
          <Value testid="tokens" value={now?.tokens} show={si} unit="tokens" />
        </Figure>
        <Figure name="Time">
          <Value testid="time" value={now?.seconds} show={duration} unit="of training" />
        </Figure>
      </dl>
      <Spoken />
    </div>
  );
}

function Figure({ name, tone = '', children }: { name: string; tone?: string; children: ComponentChildren }) {
  return (
    <div class={`figure ${tone}`}>
      <dt>{name}</dt>
      {children}
    </div>
  );
}

type ValueProps = {
  testid: string;
  value: number | undefined;
  show: (value: number) => string;
  unit: string;
};

function Value({ testid, value, show, unit }: ValueProps) {
  return (
    <dd>
      <b data-testid={`status-${testid}`} data-value={value}>
        {value === undefined ? '–' : show(value)}
      </b>
      <small>{unit}</small>
    </dd>
  );
}

/** What the optimizer keeps: rules differ in it as much as in speed. */
function State({ bytes }: { bytes: number }) {
  return (
    <dd class="keeps">
      <small data-testid="status-optimizer-state" data-value={bytes}>
        state {bytes.toPrecision(2)} bytes a parameter
      </small>
    </dd>
  );
}

function Spoken() {
  const [sentence, setSentence] = useState('');
  useEffect(() => {
    const speak = () => {
      const now = record.value?.train.last();
      const numbers = now
        ? `Step ${count(now.step)}, ${count(now.tokens)} tokens, loss ${nats(now.loss)}, ` +
          `${nats(now.bits_per_byte)} bits per byte, ${count(now.tokens_per_second)} tokens per second, ` +
          `${duration(now.seconds)}.`
        : '';
      setSentence(`${word()}. ${numbers}`);
    };
    const forget = phase.subscribe(speak);
    const timer = setInterval(() => phase.value === 'running' && speak(), SPEAK_MS);
    return () => {
      forget();
      clearInterval(timer);
    };
  }, []);
  return (
    <p class="visually-hidden" aria-live="polite" data-testid="status-spoken">
      {sentence}
    </p>
  );
}
