// Light or dark: as the system says, unless the visitor has chosen.

import { effect, signal } from '@preact/signals';

export type Scheme = 'auto' | 'light' | 'dark';
const KEY = 'trainlab.scheme';

export const scheme = signal<Scheme>(stored());
/** Counts changes of what is in effect, so that canvases are drawn anew. */
export const repaint = signal(0);

const dark = matchMedia('(prefers-color-scheme: dark)');

export const isDark = (): boolean => (scheme.value === 'auto' ? dark.matches : scheme.value === 'dark');

export function applyScheme(): void {
  effect(() => {
    document.documentElement.dataset.scheme = scheme.value;
    repaint.value = repaint.peek() + 1;
    try {
      localStorage.setItem(KEY, scheme.value);
    } catch {
      // Storage may be forbidden; then the choice lasts as long as the page.
    }
  });
  dark.addEventListener('change', () => {
    repaint.value += 1;
  });
}

function stored(): Scheme {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : 'auto';
  } catch {
    return 'auto';
  }
}
