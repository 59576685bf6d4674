// How many runs a group has, and which of them do not count.

import { count } from '../format';
import type { Census as Of } from './summary';

export function Census({ census }: { census: Of }) {
  const { counted, diverged, unfinished, repeats } = census;
  return (
    <span data-testid="census" data-counted={counted.length} data-diverged={diverged.length}>
      {count(counted.length)}
      {diverged.length > 0 && <small class="diverged">✕ {count(diverged.length)} diverged</small>}
      {unfinished.length > 0 && <small>{count(unfinished.length)} not done, not counted</small>}
      {repeats > 0 && <small>{count(repeats)} made again with the same seed, counted once</small>}
    </span>
  );
}
