// Scores by how far back lies what decides: a context that is not used shows here.

import { count } from '../format';
import type { Scores, TaskScore } from '../lab';
import { per, titleOf } from './words';

export function Distances({ scores }: { scores: Scores }) {
  const tasks = scores.tasks.filter(({ by_distance }) => by_distance && by_distance.length > 0);
  if (tasks.length === 0) return null;
  const lasts = [...new Set(tasks.flatMap(({ by_distance }) => (by_distance ?? []).map(({ last }) => last)))];
  lasts.sort((one, other) => one - other);
  return (
    <details class="shown" data-testid="distances">
      <summary>By how far back the fact lies</summary>
      <p class="help">
        Right answers by the tokens between what decides (a sentence, for agreement the subject) and the
        answer, with their chance and number of questions. What lies further back than the context was not
        seen.
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section class="scores" tabIndex={0} aria-label="Scores by distance">
        <table>
          <thead>
            <tr>
              <th scope="col">Task</th>
              {lasts.map((last) => (
                <th key={last} scope="col">
                  {last > 2 ? `${count(last / 2 + 1)}–${count(last)}` : count(last)} tokens
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {tasks.map((task) => (
              <tr key={task.task} data-testid={`distance-${task.task}`}>
                <th scope="row">{titleOf(task.task)}</th>
                {lasts.map((last) => (
                  <td key={last}>{cell(task, last)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}

function cell({ by_distance }: TaskScore, last: number) {
  const at = by_distance?.find((at) => at.last === last);
  if (!at) return '';
  return (
    <>
      <b>{per(at.accuracy)}</b> <small>± {per(at.standard_error)}</small>
      <br />
      <small>
        chance {per(at.chance)}, {count(at.items)} questions
      </small>
    </>
  );
}
