// How many workers share each batch on the CPU device: as many as the visitor wants.

import { signal } from '@preact/signals';

const KEY = 'trainlab.workers';
const cores = Math.max(1, navigator.hardwareConcurrency || 1);

/**
 * All shares are as large, so the slowest core sets the pace: not those that are half of one, or made to save power, and the
 * page needs one too.
 */
export const usualWorkers = (of: number): number => (of <= 2 ? of : Math.min(4, Math.ceil(of / 2)));

/** What can be chosen. */
export const choices = Array.from({ length: Math.min(cores, 16) }, (_, i) => i + 1);

export const workers = signal(stored() ?? usualWorkers(cores));

export function chooseWorkers(count: number): void {
  workers.value = count;
  try {
    localStorage.setItem(KEY, String(count));
  } catch {
    // Storage may be forbidden; then the choice lasts as long as the page.
  }
}

function stored(): number | null {
  try {
    const count = Number(localStorage.getItem(KEY));
    return choices.includes(count) ? count : null;
  } catch {
    return null;
  }
}
