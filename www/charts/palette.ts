// The page's colours for canvases, which know no custom properties.

export type Colour =
  | 'train'
  | 'validation'
  | 'reference'
  | 'speed'
  | 'gradient'
  | 'rate'
  | 'accuracy'
  | 'ink'
  | 'muted'
  | 'line'
  | 'surface'
  | GroupColour;

/** Groups of runs, in a comparison. */
export type GroupColour = `group-${number}`;

/** `share`: of it, the rest is transparent. */
export function colour(name: Colour, share = 1): string {
  const probe = document.createElement('span');
  const part = `color-mix(in srgb, var(--${name}) ${100 * share}%, transparent)`;
  probe.style.color = share < 1 ? part : `var(--${name})`;
  document.body.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return resolved;
}

export const font = (pixels: number): string => `${pixels}px ${getComputedStyle(document.body).fontFamily}`;
