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

/** The core marks what it throws once the device is gone. */
export const isLoss = (error: unknown): boolean => (error as { lost?: boolean } | null)?.lost === true;

/** A run can be saved only once the steps under way have arrived. */
export const isUnderWay = (error: unknown): boolean =>
  explain(error).message.startsWith('steps are still under way');

/** As a sentence: the core's messages begin small and end without a full stop. */
export function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

export const describe = ({ value, allowed, advice }: Problem): string =>
  `It is ${value}; allowed: ${allowed}. ${advice}`;
