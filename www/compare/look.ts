// How a group looks everywhere: a colour, and a dash and a mark that tell it apart without one.

import type { GroupColour } from '../charts/palette';

const COLOURS = 8;

export const colourOf = (look: number): GroupColour => `group-${look % COLOURS}`;

/** In CSS pixels: drawn, left out. */
const DASHES = [[], [9, 4], [2, 3], [9, 3, 2, 3], [5, 3], [14, 4], [6, 2, 2, 2, 2, 2]];

export const dashOf = (look: number): number[] => DASHES[look % DASHES.length] ?? [];

/** About a unit circle; sizes such that all look alike large. */
const MARKS = [
  'M1 0A1 1 0 1 1-1 0A1 1 0 1 1 1 0Z',
  'M-.89-.89H.89V.89H-.89Z',
  'M0-1.3L1.15.8H-1.15Z',
  'M0-1.3L1.3 0L0 1.3L-1.3 0Z',
  'M0 1.3L1.15-.8H-1.15Z',
  'M-.4-1.2H.4V-.4H1.2V.4H.4V1.2H-.4V.4H-1.2V-.4H-.4Z',
  'M0-1.4L.4-.42L1.4-.4L.6.22L.87 1.2L0 .65L-.87 1.2L-.6.22L-1.4-.4L-.4-.42Z',
];

export const markOf = (look: number): string => MARKS[look % MARKS.length] ?? '';
