// The token that is looked at: at most one on the page.

import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';

/** `owner`: the text that it is in. `about`: what is shown about it. */
export type Look = { owner: object; index: number; element: Element; about: ComponentChildren };

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
