// Whatever was thrown, in words. The core throws plain objects, strings and Errors.

import type { Problem } from './lab';

export function explain(error: unknown): { message: string; problems: Problem[] } {
  if (typeof error === 'string') return { message: error, problems: [] };
  if (typeof error === 'object' && error !== null) {
    const { message, problems } = error as { message?: unknown; problems?: Problem[] };
    return { message: typeof message === 'string' ? message : '', problems: problems ?? [] };
  }
  return { message: String(error), problems: [] };
}

/** A Rust panic ends in a wasm trap. */
export const isPanic = (error: unknown): boolean => error instanceof WebAssembly.RuntimeError;

/** The device is gone, and with it what was on it. The core marks what it throws then in the same way. */
export class Loss extends Error {
  readonly lost = true;
}

export const isLoss = (error: unknown): boolean => (error as { lost?: boolean } | null)?.lost === true;

/** What is no refusal but the end of the core or of the device: for whoever holds these. */
export function passOn(error: unknown): void {
  if (isPanic(error) || isLoss(error)) throw error;
}

/** As a sentence: the core's messages begin small and end without a full stop. */
export function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

export const describe = ({ value, allowed, advice }: Problem): string =>
  `It is ${value}; allowed: ${allowed}. ${advice}`;
