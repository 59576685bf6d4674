// What is said where a plot or a column would be if these runs could be compared; and what is said beside one.

import { count } from '../format';
import type { Likeness, Unlike } from './likeness';
import type { Change, Only } from './settings';

export function Refusal({ of, what, change }: { of: Unlike; what: string; change: Change }) {
  return (
    <div class="refusal" data-testid="refusal" data-likeness={of.likeness}>
      <p>
        <strong>{what}: not compared.</strong> {of.why} {of.advice}
      </p>
      <Kins of={of} change={change} />
    </div>
  );
}

function Kins({ of: { likeness, kins }, change }: { of: Unlike; change: Change }) {
  return (
    <p class="kins">
      Look only at{' '}
      {kins.map(({ key, words, runs }) => (
        <button
          type="button"
          class="quiet"
          key={key}
          data-testid="kin"
          onClick={() =>
            change(({ only }) => ({ only: [...others(only, likeness), { likeness, key, words }] }))
          }
        >
          {words || 'these'}{' '}
          <small>
            {count(runs.length)} {runs.length === 1 ? 'run' : 'runs'}
          </small>
        </button>
      ))}
    </p>
  );
}

const others = (only: Only[], likeness: Likeness): Only[] =>
  only.filter((other) => other.likeness !== likeness);

export function Remark({ of, what }: { of: Unlike | null; what: string }) {
  if (!of) return null;
  return (
    <p class="help remark" data-testid="remark" data-likeness={of.likeness}>
      <strong>{what}:</strong> {of.why}
    </p>
  );
}
