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

export function describe(problem: Problem): string {
  const value = typeof problem.value === 'string' ? `“${problem.value}”` : JSON.stringify(problem.value);
  return `${value} is not possible here. Allowed: ${problem.allowed}. ${problem.advice}`;
}
