// All sweeps, the newest first.

import { percent } from '../format';
import { share } from './progress';
import { lives } from './queue';
import { sweeps, working } from './store';
import type { Sweep } from './types';

export function SweepList({ shown, onChoose }: { shown: string | null; onChoose: (id: string) => void }) {
  return (
    <ul class="sweep-list">
      {sweeps.value.map((sweep) => (
        <li key={sweep.id}>
          <button
            type="button"
            class="plain"
            aria-current={sweep.id === shown || undefined}
            onClick={() => onChoose(sweep.id)}
            data-testid="sweep"
          >
            <strong>{sweep.name}</strong>
            <span class="muted">
              {' '}
              · {sweep.members.length} runs · {standing(sweep)}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

export function standing(sweep: Sweep): string {
  switch (sweep.state) {
    case 'ready':
      return 'not begun';
    case 'queued':
      return 'in line';
    case 'running':
      return sweep.id === working.value
        ? `running, ${percent(share(sweep.members, lives.value))}`
        : 'running in another tab';
    case 'paused':
      return `stands at ${percent(share(sweep.members, lives.value))}`;
    case 'done':
      return 'done';
  }
}
