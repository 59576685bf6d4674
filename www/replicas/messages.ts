// What passes between the lab's worker and those that share its batches.

/** Lab → worker. `team`: the run that it is about. */
export type Request =
  | { team: number; type: 'prepare'; config: string; vocabulary: number; first: number; sequences: number }
  | { team: number; type: 'play'; order: Uint32Array; parameters: Float32Array }
  | { team: number; type: 'release' };

/** Worker → lab: what was played. */
export type Played = { team: number; numbers: Float32Array<ArrayBuffer> };
/** It cannot go on. */
export type Ended = { ended: string };
/** It holds the lock of its name, which is free again only when it has ended. */
export type Alive = { alive: true };
