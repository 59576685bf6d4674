// What the page shows: the run that trains, all runs, or sweeps. In the address beside the settings, so that Back leads
// to the view before. A view that is left stops nothing.

import { effect, signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { getKnown } from '../config/values';
import { percent } from '../format';
import { phase, record, revision } from '../state';
import { share } from '../sweep/progress';
import { lives } from '../sweep/queue';
import { sweepOf, working } from '../sweep/store';

const NAMES = { train: 'Train', runs: 'Runs', sweeps: 'Sweeps', length: 'Length' };
export type View = keyof typeof NAMES;
const isView = (name: string | null): name is View => name !== null && name in NAMES;

export const view = signal<View>(fromAddress());
/** The visitor chose the view, so it is read out from its title on. */
let chosen = false;

function fromAddress(): View {
  const name = new URLSearchParams(location.search).get('view');
  return isView(name) ? name : 'train';
}

/** The address of a view, with the settings as they are in it. */
function addressOf(name: View): string {
  const query = new URLSearchParams(location.search);
  if (name === 'train') query.delete('view');
  else query.set('view', name);
  const search = query.size > 0 ? `?${query}` : '';
  return `${location.pathname}${search}${location.hash}`;
}

export function go(name: View): void {
  if (name === view.value) return;
  chosen = true;
  history.pushState(null, '', addressOf(name));
  view.value = name;
  scrollTo(0, 0);
}

addEventListener('popstate', () => {
  const name = fromAddress();
  chosen = name !== view.value;
  view.value = name;
});

effect(() => {
  document.title = view.value === 'train' ? 'trainlab' : `${NAMES[view.value]} · trainlab`;
});

export function Navigation() {
  return (
    <nav class="views" aria-label="Views">
      {Object.entries(NAMES).map(([name, label]) => (
        <a
          key={name}
          href={addressOf(name as View)}
          aria-current={view.value === name ? 'page' : undefined}
          data-testid={`view-${name}`}
          onClick={(event) => {
            // Whoever wants it in another tab gets it there.
            if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
            event.preventDefault();
            go(name as View);
          }}
        >
          {label}
          {name === 'train' && view.value !== 'train' && <Progress />}
          {name === 'sweeps' && view.value !== 'sweeps' && <SweepProgress />}
        </a>
      ))}
    </nav>
  );
}

/** How far the run is that goes on meanwhile. */
function Progress() {
  // The record is no signal; this counts its changes.
  revision.value;
  if (!record.value || (phase.value !== 'running' && phase.value !== 'paused')) return null;
  const share = record.value.step / Math.max(Number(getKnown(record.value.config, 'training.steps')), 1);
  return (
    <small>
      {phase.value === 'paused' ? 'paused at ' : ''}
      {percent(share)}
    </small>
  );
}

function SweepProgress() {
  const sweep = sweepOf(working.value ?? '');
  return sweep ? <small>{percent(share(sweep.members, lives.value))}</small> : null;
}

/** Takes the focus when its view was chosen. That of the first view is there for those who cannot see the rest. */
export function ViewTitle({ id, children }: { id?: string; children: ComponentChildren }) {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (chosen) title.current?.focus({ preventScroll: true });
    chosen = false;
  }, []);
  return (
    <h2 ref={title} id={id} class={view.value === 'train' ? 'visually-hidden' : 'view-title'} tabIndex={-1}>
      {children}
    </h2>
  );
}
