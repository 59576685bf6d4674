// Sweeps beside their runs.

import { database } from './database';
import type { StoredRun, StoredSweep } from './types';

/** Where every tab hears, by id, of sweeps that changed. Each of these objects hears the others, and not itself. */
export const sweepsChannel = (): BroadcastChannel => new BroadcastChannel('trainlab.sweeps');

/** The sweeps that runs are part of. */
export async function sweepsOf(runs: StoredRun[]): Promise<StoredSweep[]> {
  const ids = [...new Set(runs.flatMap(({ sweep }) => (sweep === null ? [] : [sweep])))];
  if (ids.length === 0) return [];
  const db = await database();
  const sweeps = await Promise.all(ids.map((id) => db.get('sweeps', id)));
  return sweeps.filter((sweep) => sweep !== undefined);
}
