// A button that finds something out, how far that is, and why it cannot be.

import type { ComponentChildren } from 'preact';
import { ask, asking, canAsk, end, obstacle, outdated, unanswered } from './state';
import type { Question } from './types';

type Props = {
  question: Question;
  label: string;
  /** What it was found of, if it was. */
  of: { run: string; step: number } | null;
  said: string;
  children?: ComponentChildren;
};

export function Asker({ question, label, of, said, children }: Props) {
  const { what } = question;
  const share = asking.value?.what === what ? asking.value.share : null;
  const why = unanswered.value?.what === what ? unanswered.value.message : null;
  const words = why ?? (of && outdated(of) ? `${said} The run has gone on or is another since then.` : said);
  return (
    <>
      <div class="measurement">
        <button
          type="button"
          class="action"
          aria-disabled={!canAsk.value}
          aria-describedby={`use-${what}-said`}
          onClick={() => ask(question)}
          data-testid={`use-${what}`}
        >
          {share === null ? label : 'Measuring …'}
        </button>
        <button
          type="button"
          class="action"
          aria-disabled={share === null}
          aria-label={`Stop: ${label.toLowerCase()}`}
          onClick={end}
          data-testid={`use-${what}-end`}
        >
          Stop
        </button>
        {share !== null && <progress value={share} max={1} aria-label={`${label}: done so far`} />}
        {children}
      </div>
      <p class="help" id={`use-${what}-said`} role="status" data-testid={`use-${what}-said`}>
        {share === null ? (obstacle.value ?? words) : ''}
      </p>
    </>
  );
}
