// How far a tokenizer is that has to be trained first, with a way to end it; or the way to begin it.

import { percent } from '../format';
import { tokenizing, waitsForTokenizer } from '../state';
import { prepare, stopTokenizer } from './actions';
import type { Stage } from './messages';

const STAGES: Record<Stage, string> = {
  loading: 'Fetching the tokenizers',
  training: 'Training the tokenizer',
  encoding: 'Turning the text into tokens',
};

/** In words. */
export const progressOf = ({ stage, share }: { stage: Stage; share: number | null }): string =>
  `${STAGES[stage]}${share === null ? ' …' : `: ${percent(share)}`}`;

/** Nothing where the text is ready, or needs no such thing. Shown in several places, and `spoken` in one. */
export function Readiness({ id, spoken = false }: { id: string; spoken?: boolean }) {
  const now = tokenizing.value;
  const waits = !now && waitsForTokenizer.value;
  // What speaks has to be there before it does.
  if (!now && !waits && !spoken) return null;
  return (
    <div class="readiness" data-testid={id}>
      <p role={spoken ? 'status' : undefined}>{now ? STAGES[now.stage] : ''}</p>
      {now && (
        <>
          <progress value={now.share ?? undefined} max={1} aria-label={STAGES[now.stage]} />
          <button
            type="button"
            class="quiet"
            aria-label="Stop making the tokenizer ready"
            onClick={stopTokenizer}
            data-testid={`${id}-stop`}
          >
            Stop
          </button>
        </>
      )}
      {waits && (
        <button type="button" class="action" onClick={prepare} data-testid={`${id}-begin`}>
          Make the tokenizer ready
        </button>
      )}
    </div>
  );
}
