// What a longer context costs: measured when asked for, beside the law and others' measurements.

import { useEffect } from 'preact/hooks';
import { count, percent } from '../../format';
import { phase } from '../../state';
import { Figures } from './figures';
import {
  askLesson,
  canMeasure,
  cells,
  choose,
  end,
  lesson,
  measure,
  measured,
  measuring,
  noMeasure,
  obstacle,
  offered,
  published,
} from './state';
import { saveTable } from './table';

export function CostSection() {
  const ready = phase.value !== 'waking' && phase.value !== 'crashed';
  useEffect(() => {
    if (ready && lesson.value === null) askLesson();
  }, [ready]);
  return (
    <section class="panel length-cost" aria-labelledby="length-cost-title" data-testid="length-cost">
      <h2 id="length-cost-title">What does it cost?</h2>
      <p class="help">
        Attention compares every token with all before it, so that its work for a token grows with the
        context; that of all other products does not. How soon that is felt depends on the width: a block of
        width d computes 24 d² in its products and 2 T d in causal attention, so attention is half at T* = 12
        d. Measured here with as many tokens in every step, whatever the context.
      </p>
      <Grid />
      <Measurement />
      {measured.value && <Figures measured={measured.value} published={published.value} />}
    </section>
  );
}

/** What of the grid is measured. */
function Grid() {
  const [chosen, all] = [lesson.value, offered.value];
  if (!chosen || !all) return null;
  return (
    <div class="cost-grid">
      {(['lengths', 'widths'] as const).map((axis) => (
        <fieldset key={axis} disabled={measuring.value !== null}>
          <legend>{axis === 'lengths' ? 'Contexts, tokens' : 'Widths, channels'}</legend>
          {all[axis].map((value) => (
            <label key={value}>
              <input
                type="checkbox"
                checked={chosen[axis].includes(value)}
                onChange={({ currentTarget }) => {
                  choose(axis, value, currentTarget.checked);
                  // The last one stays.
                  currentTarget.checked = lesson.value?.[axis].includes(value) ?? false;
                }}
                data-testid={`${axis}-${value}`}
              />
              {count(value)}
            </label>
          ))}
        </fieldset>
      ))}
    </div>
  );
}

function Measurement() {
  const share = measuring.value;
  return (
    <>
      <div class="measurement">
        <button
          type="button"
          class="action"
          aria-disabled={!canMeasure.value}
          aria-describedby="length-cost-said"
          onClick={measure}
          data-testid="measure-lengths"
        >
          {share === null ? 'Measure' : 'Measuring …'}
        </button>
        <button
          type="button"
          class="action"
          aria-disabled={share === null}
          aria-label="Stop measuring"
          onClick={end}
          data-testid="end-lengths"
        >
          Stop
        </button>
        {share !== null && (
          <progress value={share} max={1} aria-label="Measured" data-testid="measuring-lengths" />
        )}
        {measured.value && (
          <button type="button" class="quiet" onClick={saveTable} data-testid="save-lengths">
            Save CSV
          </button>
        )}
      </div>
      <p class="help" role="status" id="length-cost-said" data-testid="length-cost-said">
        {said(share)}
      </p>
    </>
  );
}

function said(share: number | null): string {
  if (share === null) return obstacle.value ?? noMeasure.value ?? '';
  const last = cells.value.at(-1);
  if (!last) return 'Steps take turns first, then each kernel is timed alone. It takes a minute or two.';
  const { width, length, tokens_per_second } = last;
  const attention = last.parts.find(({ part }) => part === 'attention')?.share ?? 0;
  return `Width ${width} at ${length} tokens: ${count(tokens_per_second)} tokens/s, ${percent(attention)} of it attention.`;
}
