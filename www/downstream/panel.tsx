// What the model can do: each task's score against chance, and questions to look at.

import { count } from '../format';
import type { Answer, Examples, Scores, TaskScore } from '../lab';
import { record, revision } from '../state';
import { Distances } from './distances';
import { chosenOf, nearChance, per, titleOf } from './words';

export function Downstream() {
  // The record is no signal; this counts its changes.
  revision.value;
  const run = record.value;
  const scores = run?.scores.at(-1);
  if (!run || !scores) return null;
  return (
    <section class="panel downstream" aria-labelledby="downstream-title" data-testid="downstream">
      <h2 id="downstream-title">What it can do</h2>
      <p class="help">
        Questions with known answers, after step {count(scores.step)}. ± is one standard error; what lies
        within two of chance may be guessing.
      </p>
      <Table scores={scores} />
      <Distances scores={scores} />
      {run.findings.examples.map((examples) => (
        <Shown key={examples.task} examples={examples} />
      ))}
    </section>
  );
}

function Table({ scores }: { scores: Scores }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="scores" tabIndex={0} aria-label="Scores by task">
      <table>
        <thead>
          <tr>
            <th scope="col">Task</th>
            <th scope="col">Right</th>
            <th scope="col">Chance</th>
            <th scope="col">
              Right <small>by log-probability per byte</small>
            </th>
            <th scope="col">Questions</th>
          </tr>
        </thead>
        <tbody>
          {scores.tasks.map((score) => (
            <Row key={score.task} score={score} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Row({ score }: { score: TaskScore }) {
  const near = nearChance(score);
  return (
    <tr
      data-testid={`score-${score.task}`}
      data-accuracy={score.accuracy}
      data-near-chance={near || undefined}
    >
      <th scope="row">{titleOf(score.task)}</th>
      <td>
        <b>{per(score.accuracy)}</b> <small>± {per(score.standard_error)}</small>
        {near && <small class="near"> near chance</small>}
      </td>
      <td>{per(score.chance)}</td>
      <td>{per(score.accuracy_per_byte)}</td>
      <td>{count(score.items)}</td>
    </tr>
  );
}

function Shown({ examples: { task, answers, dropped } }: { examples: Examples }) {
  return (
    <details class="shown" data-testid={`examples-${task}`}>
      <summary>
        {titleOf(task)}: {answers.length} questions
        {dropped > 0 && (
          <span class="muted"> · {count(dropped)} others occur in the training text and are left out</span>
        )}
      </summary>
      <ol>
        {answers.map((answer) => (
          <Question key={answer.context} answer={answer} />
        ))}
      </ol>
    </details>
  );
}

function Question({ answer }: { answer: Answer }) {
  const right = answer.chosen === answer.answer;
  return (
    <li data-right={right || undefined}>
      <p class="context">{answer.context}</p>
      <ul>
        {answer.choices.map((choice, index) => (
          <li key={choice} data-chosen={index === answer.chosen || undefined}>
            <span>{choice.trim()}</span>
            <small>
              log-probability {(answer.log_probabilities[index] ?? Number.NaN).toFixed(2)}
              {index === answer.answer && ' · right'}
              {index === answer.chosen && chosenOf(answer)}
            </small>
          </li>
        ))}
      </ul>
      {answer.chosen === null && <small>The model would have written something else.</small>}
    </li>
  );
}
