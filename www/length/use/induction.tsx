// Induction: random tokens, told twice (Olsson et al. 2022, arXiv 2209.11895).

import { count } from '../../format';
import { Asker } from './asker';
import { type Line, Plot } from './plot';
import { induction } from './state';
import type { Induction } from './types';
import { inductionCsv, saveCsvOf } from './words';

export function InductionPart() {
  const found = induction.value;
  return (
    <section aria-labelledby="use-induction-title" data-testid="use-induction-part">
      <h3 id="use-induction-title">Induction</h3>
      <p class="help">
        Random tokens, told twice: only who looks up the first telling can predict the second one better
        (Olsson et al. 2022). A model that does so far back uses its context.
      </p>
      <Asker
        question={{ what: 'induction' }}
        label="Measure induction"
        of={found}
        said={found ? `Measured after step ${count(found.step)}. ${verdict(found.value)}` : ''}
      >
        {found && (
          <button
            type="button"
            class="quiet"
            onClick={() => saveCsvOf(inductionCsv(found.value), 'induction')}
            data-testid="use-induction-csv"
          >
            Save CSV
          </button>
        )}
      </Asker>
      {found && (
        <Plot
          id="use-induction-plot"
          title="Random tokens, told twice"
          lines={linesOf(found.value)}
          across="Distance between the tellings (tokens)"
          up="Loss (nats per token)"
          note={`A uniform guess loses ${found.value.uniform.toFixed(2)} nats per token. The bars are of the difference.`}
        />
      )}
    </section>
  );
}

const linesOf = ({ by_distance }: Induction): Line[] => {
  const line = (label: string, look: number, key: 'first' | 'second'): Line => ({
    label,
    look,
    points: by_distance.map((at) => ({
      x: at.distance,
      y: at[key],
      error: key === 'second' ? at.standard_error : null,
      words: `${label}, ${count(at.distance)} tokens: ${at[key].toFixed(3)} nats per token; gain ${at.gain.toFixed(3)} ± ${at.standard_error.toFixed(3)}`,
    })),
  });
  return [line('First time', 2, 'first'), line('Second time', 3, 'second')];
};

function verdict({ by_distance }: Induction): string {
  const far = by_distance.filter(({ gain, standard_error }) => gain > 2 * standard_error).at(-1);
  return far
    ? `The second telling is predicted better up to ${count(far.distance)} tokens back, there by ${far.gain.toFixed(2)} nats per token.`
    : 'The second telling is predicted no better than the first.';
}
