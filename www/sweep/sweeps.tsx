// The view of sweeps: those that are kept, the one that is looked at, and how another is made.

import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ViewTitle } from '../shell/views';
import { Detail } from './detail';
import { begin, dismiss, draft } from './draft';
import { SweepList } from './list';
import { Maker } from './maker';
import { arrive, elsewhere } from './queue';
import { Import, Ready } from './ready';
import { sweepOf, sweeps, working } from './store';

/** The sweep that is looked at. In the address, so that a reload shows it again. */
export const chosen = signal<string | null>(new URLSearchParams(location.search).get('sweep'));

export function choose(id: string | null): void {
  chosen.value = id;
  const query = new URLSearchParams(location.search);
  if (id) query.set('sweep', id);
  else query.delete('sweep');
  history.replaceState(null, '', `${location.pathname}?${query}${location.hash}`);
}

export function Sweeps() {
  useEffect(() => {
    void arrive();
    return dismiss;
  }, []);
  const sweep = sweepOf(chosen.value ?? working.value ?? '');
  return (
    <>
      <ViewTitle>Sweeps</ViewTitle>
      <section class="panel" aria-labelledby="sweeps-title">
        <div class="sweep-head">
          <h3 id="sweeps-title">Kept in this browser</h3>
          <span class="spacer" />
          <Import />
          <button type="button" class="action" onClick={begin} data-testid="new-sweep">
            New sweep
          </button>
        </div>
        {elsewhere.value && (
          <p class="hint" role="status" data-testid="sweeps-elsewhere">
            Another tab works on sweeps. What is begun here comes after that.
          </p>
        )}
        {sweeps.value.length === 0 ? (
          <p class="help">
            None yet. A sweep is many runs that differ in what you ask about: pick one below, or make your
            own.
          </p>
        ) : (
          <SweepList shown={sweep?.id ?? null} onChoose={choose} />
        )}
      </section>
      {draft.value && <Maker draft={draft.value} onKept={choose} />}
      {sweep && <Detail key={sweep.id} sweep={sweep} onGone={() => choose(null)} />}
      <Ready />
    </>
  );
}
