// What a sweep comes to, before anything runs: its runs, what each takes, and what is wrong with them.

import { describe } from '../errors';
import { count, duration, si } from '../format';
import { storedRuns } from '../store/runs';
import { budgetOf } from './definition';
import { costKey, costOf, costs, type Draft, MOST_RUNS, reading, readingTrouble } from './draft';
import type { Listed } from './types';

/** More are listed when that is asked for. */
const SHOWN = 12;

export function Preview({ draft }: { draft: Draft }) {
  const said = reading.value;
  const runs = said?.runs ?? [];
  return (
    <div class="preview">
      <p role="status" data-testid="preview" data-runs={runs.length}>
        {readingTrouble.value ?? (said ? summary(runs, draft) : 'Working out the runs …')}
      </p>
      {said?.problems.map((problem) => (
        <p class="problem" key={`${problem.field} ${problem.value}`} data-testid="sweep-problem">
          {problem.field && <code>{problem.field}</code>} {describe(problem)}
        </p>
      ))}
      {runs.length > 0 && (
        <details open={runs.length <= SHOWN}>
          <summary>The runs</summary>
          <ol class="preview-runs">
            {runs.map((run) => (
              <li key={run.id}>
                {run.name} <Takes run={run} draft={draft} />
              </li>
            ))}
          </ol>
        </details>
      )}
    </div>
  );
}

function Takes({ run, draft }: { run: Listed; draft: Draft }) {
  const known = costs.value.get(costKey(run.config, draft.definition));
  if (typeof known === 'string') return <span class="problem">{known}</span>;
  if (!known) return null;
  return (
    <span class="muted">
      {count(known.steps)} steps, {si(known.flops)}FLOP
    </span>
  );
}

function summary(runs: Listed[], { definition, device, workers }: Draft): string {
  if (runs.length === 0) return 'No runs yet.';
  if (runs.length > MOST_RUNS)
    return `${count(runs.length)} runs: at most ${count(MOST_RUNS)} can be run in the page. Leave values out, or draw some at random.`;
  const number = runs.length === 1 ? '1 run' : `${count(runs.length)} runs`;
  const budget = budgetOf(definition);
  if (budget?.kind === 'seconds')
    return `${number} of ${duration(budget.amount)} each: ${duration((budget.amount * runs.length) / workers)} of training.`;
  const known = runs.map(({ config }) => costOf(config, definition)?.flops);
  const work = known.reduce<number>((sum, flops) => sum + (flops ?? 0), 0);
  if (known.includes(undefined)) return `${number}; what they take is being worked out.`;
  const speed = measuredSpeed(device);
  const time = speed ? `, ${about(work / speed / workers)} at the speed of the last run on this device` : '';
  return `${number}, ${si(work)}FLOP in all${time}.`;
}

const about = (seconds: number): string => `about ${duration(seconds)}`;

/** FLOP a second. */
function measuredSpeed(device: Draft['device']): number | null {
  const last = storedRuns.value.find(
    (run) => run.device.kind === device && (run.last?.seconds ?? 0) > 1,
  )?.last;
  return last ? last.flops / last.seconds : null;
}
