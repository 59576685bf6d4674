// What a run takes.

import type { Plan } from './lab';

/** Floating-point operations of so many steps. */
export const flopsOf = ({ tokens_per_step, flops_per_token }: Plan, steps: number): number =>
  steps * tokens_per_step * flops_per_token;
