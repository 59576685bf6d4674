// The runs that are compared, with their points: those that are chosen, or else the newest.

import { useEffect, useMemo, useState } from 'preact/hooks';
import { Comparison } from '../compare/comparison';
import { loadRuns, storedRuns } from '../store/runs';
import type { RunHead, StoredRun } from '../store/types';
import { chosenRuns } from './actions';

/** Without a choice: as many as are read at once without being asked for. */
const NEWEST = 50;

export function Compared() {
  const some = chosenRuns();
  const heads = some.length > 0 ? some : storedRuns.value.slice(0, NEWEST);
  const runs = useRuns(heads);
  return <Comparison runs={runs} />;
}

/** A run that trains is read again after so many seconds of training. */
const EVERY = 3;

/** What a run says of itself and of its points: where this is the same, so are they. */
const mark = ({ id, name, state, rows, scores, last }: RunHead): string =>
  JSON.stringify([
    id,
    name,
    state,
    state === 'running' ? Math.floor((last?.seconds ?? 0) / EVERY) : rows,
    scores.length,
  ]);

/** Runs that were read, by id, so that news of one do not have all of them read again. */
function useRuns(heads: RunHead[]): StoredRun[] {
  const [read, setRead] = useState<Map<string, { mark: string; run: StoredRun }>>(new Map());
  const marks = heads.map(mark);
  useEffect(() => {
    let wanted = true;
    const stale = heads.filter((head) => read.get(head.id)?.mark !== mark(head));
    if (stale.length === 0) return;
    loadRuns(stale.map(({ id }) => id)).then(
      (runs) => {
        if (!wanted) return;
        const now = new Map(stale.map((head) => [head.id, mark(head)]));
        setRead((before) => {
          const next = new Map(before);
          for (const run of runs) next.set(run.id, { mark: now.get(run.id) ?? '', run });
          return next;
        });
      },
      // The list says so already.
      () => {},
    );
    return () => {
      wanted = false;
    };
  }, [marks.join()]);
  const ids = heads.map(({ id }) => id).join();
  return useMemo(() => heads.flatMap(({ id }) => read.get(id)?.run ?? []), [ids, read]);
}
