// The runs of a sweep, a row each.

import { count, figures, percent, si } from '../format';
import { isOver, type Live, stepsOf } from './progress';
import { again, lives, skip } from './queue';
import { resultsOf } from './results';
import type { Member, MemberState, Sweep } from './types';

const STATES: Record<MemberState, string> = {
  waiting: 'waits',
  running: 'running',
  paused: 'stands',
  finished: 'done',
  diverged: 'diverged',
  failed: 'failed',
  skipped: 'skipped',
};

export function Members({ sweep, locked }: { sweep: Sweep; locked: boolean }) {
  return (
    <div class="table-scroll">
      <table class="members">
        <thead>
          <tr>
            <th scope="col">Run</th>
            <th scope="col">State</th>
            <th scope="col">Step</th>
            <th scope="col">Bits per byte</th>
            <th scope="col">Tokens per second</th>
            <th scope="col">
              <span class="visually-hidden">What to do</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {sweep.members.map((member) => (
            <Row
              key={member.run}
              sweep={sweep.id}
              member={member}
              live={lives.value.get(member.run) ?? null}
              locked={locked}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

type RowProps = { sweep: string; member: Member; live: Live | null; locked: boolean };

function Row({ sweep, member, live, locked }: RowProps) {
  const { run, name, state, message } = member;
  const results = resultsOf(run);
  const step = live?.step ?? results.step;
  const bits = live ? live.bitsPerByte : results.bits_per_byte;
  const speed = live ? live.tokensPerSecond : results.tokens_per_second;
  return (
    <tr data-testid="member" data-state={state} data-run={run} data-step={step ?? 0}>
      <th scope="row">
        {name}
        {message && <p class={state === 'failed' ? 'problem' : 'help'}>{message}</p>}
      </th>
      <td>
        {live && live.readiness !== null && state === 'running'
          ? `getting ready, ${percent(live.readiness)}`
          : STATES[state]}
      </td>
      <td>
        {step === null ? '' : count(step)}
        <span class="muted"> / {count(stepsOf(member))}</span>
      </td>
      <td>{bits === null ? '' : figures(bits)}</td>
      <td>{speed === null ? '' : si(speed)}</td>
      <td>
        {!locked && !isOver(member) && (
          <button
            type="button"
            class="quiet"
            onClick={() => skip(sweep, run)}
            aria-label={`Skip ${name}`}
            data-testid="skip-run"
          >
            Skip
          </button>
        )}
        {!locked && (state === 'failed' || state === 'skipped') && (
          <button
            type="button"
            class="quiet"
            onClick={() => again(sweep, run)}
            aria-label={`Run ${name} after all`}
            data-testid="retry-run"
          >
            {state === 'failed' ? 'Try again' : 'Run it after all'}
          </button>
        )}
      </td>
    </tr>
  );
}
