// Saving a run as a file, loading one, and going on with the one that the browser keeps.

import { save as download } from '../charts/save';
import { send } from '../client';
import type { Event } from '../protocol';
import { can } from '../run/actions';
import { fileTrouble, kept, live, loading, readiness } from '../state';

export const isRunFile = ({ name }: File): boolean => name.toLowerCase().endsWith('.safetensors');

export function save(): void {
  if (can.save.value) send({ type: 'save' });
}

export function load(file: File): void {
  if (!can.load.value) {
    const message = live.value
      ? 'A run is live, and it would be lost. Stop it first, then load the file.'
      : 'The lab is not ready for it yet. Try again in a moment.';
    fileTrouble.value = { title: `${file.name} was not loaded`, message };
    return;
  }
  begin('file');
  send({ type: 'load', source: file });
}

export function goOn(): void {
  if (!can.load.value) return;
  begin('kept');
  send({ type: 'go-on' });
}

export function forget(): void {
  kept.value = null;
  send({ type: 'forget-kept' });
}

function begin(what: 'file' | 'kept'): void {
  loading.value = what;
  readiness.value = 0;
  fileTrouble.value = null;
}

export function followFiles(event: Event): void {
  if (event.type !== 'saved') return;
  download(
    new Blob([event.file], { type: 'application/octet-stream' }),
    `trainlab-step-${event.step}.safetensors`,
  );
}

// A hidden tab may be closed without another word.
document.addEventListener('visibilitychange', () => document.hidden && send({ type: 'keep' }));
