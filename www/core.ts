// The wasm package, for the workers that have one.

import { hasRelaxedSimd } from './simd';

/** Built for what this browser's processor instructions are. */
export const load = () =>
  hasRelaxedSimd() ? import('./pkg/relaxed/trainlab.js') : import('./pkg/simd/trainlab.js');
