// The page's colours for canvases, which know no custom properties.

export type Colour =
  | 'train'
  | 'validation'
  | 'reference'
  | 'speed'
  | 'gradient'
  | 'rate'
  | 'ink'
  | 'muted'
  | 'line'
  | 'surface';

export function colour(name: Colour): string {
  const probe = document.createElement('span');
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return resolved;
}

export const font = (pixels: number): string => `${pixels}px ${getComputedStyle(document.body).fontFamily}`;
