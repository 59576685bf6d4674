// What the data support, in a sentence; the figures behind it below.

import { useEffect, useState } from 'preact/hooks';
import { Select } from '../charts/inputs';
import { compare } from '../client';
import { figures } from '../format';
import type { Verdict as Answer, Question } from '../lab';
import type { StoredRun } from '../store/types';
import type { Measure } from './measures';
import { question } from './question';
import { Refusal } from './refusal';
import { refusal, type Scene } from './scene';
import type { Change } from './settings';
import { summary } from './summary';

/** How many runs with other seeds are offered. */
const MORE = 2;

type Props = {
  scene: Scene;
  subject: Measure;
  change: Change;
  onRepeat: ((runs: StoredRun[], n: number) => void) | undefined;
};

export function Verdict({ scene, subject, change, onRepeat }: Props) {
  const measures = scene.measures.filter(({ goal }) => goal !== null);
  const choices = Object.fromEntries(measures.map(({ id, label }) => [id, label]));
  return (
    <section class="panel verdict" aria-labelledby="verdict-title" data-testid="verdict">
      <div class="panel-head">
        <h2 id="verdict-title">What the runs support</h2>
        <Select
          label="By"
          choices={choices}
          value={subject.id}
          testid="subject"
          change={(id) => change({ subject: id })}
        />
      </div>
      <Said scene={scene} subject={subject} change={change} />
      <Repeat scene={scene} subject={subject} onRepeat={onRepeat} />
    </section>
  );
}

function Said({ scene, subject, change }: Omit<Props, 'onRepeat'>) {
  const refused = refusal(scene.shown, subject, scene.fields);
  if (refused) return <Refusal of={refused} what={subject.label} change={change} />;
  const asked = question(subject, scene.shown);
  if (!asked) return <p>There are no two groups with a value here, so there is nothing to tell apart.</p>;
  // One value a group: what is missing is said below.
  if (asked.groups.every(({ values }) => values.filter(({ value }) => Number.isFinite(value)).length < 2))
    return null;
  return <Told asked={asked} show={subject.show} />;
}

/** One run a group says nothing about chance. */
function Repeat({ scene, subject, onRepeat }: Omit<Props, 'change'>) {
  const single = scene.shown.filter(({ census }) => (summary(census, subject)?.n ?? 0) === 1);
  if (single.length === 0) return null;
  const all = single.length === scene.shown.length;
  const names = single.map(({ group }) => group.label).join(', ');
  const runs = single.flatMap(({ census }) => census.counted.slice(-1));
  return (
    <p class="repeat" data-testid="repeat">
      {all ? 'Each group has one run only.' : `Only one run: ${names}.`} Nothing can be said about chance
      without other seeds (<code>training.seed</code>).{' '}
      {onRepeat && (
        <button type="button" class="quiet" onClick={() => onRepeat(runs, MORE)} data-testid="repeat-runs">
          Repeat with {MORE} more seeds
        </button>
      )}
    </p>
  );
}

/** While runs go on, the last answer by the same measure stays until the next is there. */
function Told({ asked, show }: { asked: Question; show: (value: number) => string }) {
  const [answered, setAnswer] = useState<{ by: string; answer: Answer | string } | null>(null);
  const by = asked.metric.name;
  // Not a number is no JSON, and yet has to tell questions apart.
  const key = JSON.stringify(asked, (_, value) => (Number.isNaN(value) ? 'none' : value));
  useEffect(() => {
    let current = true;
    compare(asked).then(
      (answer) => current && setAnswer({ by, answer }),
      (error: Error) => current && setAnswer({ by, answer: error.message }),
    );
    return () => {
      current = false;
    };
  }, [key]);
  if (answered?.by !== by) return <p class="muted">Reckoning …</p>;
  const { answer } = answered;
  if (typeof answer === 'string') return <p class="problem">This could not be worked out: {answer}</p>;
  return (
    <>
      <p class="said" role="status" data-testid="verdict-words">
        {answer.words}
      </p>
      {answer.pairs.length > 0 && <Pairs answer={answer} show={show} />}
    </>
  );
}

const TESTS = { paired: 'paired by seed', welch: 'Welch’s t-test' };

function Pairs({ answer, show }: { answer: Answer; show: (value: number) => string }) {
  const interval = (low: number | null, high: number | null) =>
    low === null || high === null ? '–' : `${signed(low, show)} to ${signed(high, show)}`;
  return (
    <details>
      <summary>The figures behind this</summary>
      <div class="wide-table">
        <table data-testid="pairs">
          <thead>
            <tr>
              <th scope="col">Groups</th>
              <th scope="col">Test</th>
              <th scope="col">n</th>
              <th scope="col">Difference</th>
              <th scope="col">95% interval</th>
              <th scope="col">p</th>
              <th scope="col">
                p <small>after Holm, all pairs</small>
              </th>
              <th scope="col">
                Effect <small>Hedges’ g</small>
              </th>
              <th scope="col">In words</th>
            </tr>
          </thead>
          <tbody>
            {answer.pairs.map(({ a, b, test, n, difference, low, high, p, p_corrected, effect, words }) => (
              <tr key={`${a} ${b}`}>
                <th scope="row">
                  {a} − {b}
                </th>
                <td>{test ? TESTS[test] : 'none'}</td>
                <td class="amount">{n}</td>
                <td class="amount">{signed(difference, show)}</td>
                <td class="amount">{interval(low, high)}</td>
                <td class="amount">{chance(p)}</td>
                <td class="amount">{chance(p_corrected)}</td>
                <td class="amount">{effect === null ? '–' : figures(effect)}</td>
                <td>{words}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

const chance = (p: number | null): string => (p === null ? '–' : p < 0.001 ? '< 0.001' : figures(p));

const signed = (value: number, show: (value: number) => string): string =>
  value < 0 ? `−${show(-value)}` : show(value);
