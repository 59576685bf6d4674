// The token that is looked at: at most one on the page.

import { signal } from '@preact/signals';
import type { Sample } from '../lab';
import type { Group } from './pieces';

export type Look = { sample: Sample; index: number; group: Group; element: Element };

export const looked = signal<Look | null>(null);

/** Time to get from the token to what is shown about it. */
const LEAVE_MS = 250;
let leaving: ReturnType<typeof setTimeout> | undefined;

export function look(at: Look): void {
  stay();
  looked.value = at;
}

export function unlook(): void {
  stay();
  looked.value = null;
}

export function leaveSoon(): void {
  stay();
  leaving = setTimeout(unlook, LEAVE_MS);
}

export function stay(): void {
  clearTimeout(leaving);
}
