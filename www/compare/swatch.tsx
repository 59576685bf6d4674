// A group's mark in its colour, beside its name.

import { colourOf, markOf } from './look';

export function Swatch({ look }: { look: number }) {
  return (
    <svg class={`swatch ${colourOf(look)}`} viewBox="-1.6 -1.6 3.2 3.2" aria-hidden="true">
      <path d={markOf(look)} />
    </svg>
  );
}
