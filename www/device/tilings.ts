// How matrix products run best on this visitor's GPUs, as measured: kept for the next visit. Where the browser keeps
// nothing, they are measured again.

import type { Event, Tilings } from '../protocol';

const PREFIX = 'trainlab.tilings.';
/** As JSON. Hundreds of models; past it, the next visit begins anew. */
const MOST_CHARACTERS = 100_000;

export function keptTilings(): Tilings {
  try {
    const kept = Object.entries(localStorage).filter(([key]) => key.startsWith(PREFIX));
    return Object.fromEntries(kept.map(([key, tilings]) => [key.slice(PREFIX.length), tilings]));
  } catch {
    return {};
  }
}

export function keepTilings(event: Event): void {
  if (event.type !== 'tilings') return;
  const { adapter, tilings } = event;
  try {
    if (tilings.length > MOST_CHARACTERS) localStorage.removeItem(PREFIX + adapter);
    else localStorage.setItem(PREFIX + adapter, tilings);
  } catch {
    // Storage may be forbidden or full.
  }
}
