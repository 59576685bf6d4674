// Goes on with a longer context: a new run from the present one's parameters.

import { useState } from 'preact/hooks';
import { Select, Toggle } from '../../charts/inputs';
import { getKnown } from '../../config/values';
import { count } from '../../format';
import { record } from '../../state';
import { canExtend, extend } from './state';

const LONGEST = 8192;

export function Extend() {
  const [factor, setFactor] = useState<'2' | '4' | '8'>('2');
  const [steps, setSteps] = useState(100);
  const [interpolate, setInterpolate] = useState(false);
  const run = record.value?.config;
  const position = run && String(getKnown(run, 'model.position'));
  const context = run ? Number(getKnown(run, 'model.context')) : 0;
  const length = context * Number(factor);
  const why = refusal(position, length);
  const able = canExtend.value && why === null;
  const rope = position === 'rope';
  return (
    <section aria-labelledby="use-extend-title" data-testid="use-extend">
      <h3 id="use-extend-title">Go on with a longer context</h3>
      <p class="help">
        Begins a new run with the parameters of this one, once it has ended, at a longer context and with a
        fresh optimizer. RoPE can be interpolated: positions are divided, so that a longer text has the
        trained angles (Chen et al. 2023); which of the two recovers sooner depends on the model.
      </p>
      <div class="chart-controls">
        <Select
          label="Context"
          choices={{ 2: 'twice as long', 4: 'four times', 8: 'eight times' }}
          value={factor}
          testid="use-extend-factor"
          change={setFactor}
        />
        <label class="inline-control">
          <span>Steps</span>
          <input
            type="number"
            min={1}
            max={100_000}
            value={steps}
            data-testid="use-extend-steps"
            onChange={({ currentTarget }) =>
              setSteps(Math.min(Math.max(currentTarget.valueAsNumber || 1, 1), 100_000))
            }
          />
        </label>
        {rope && (
          <Toggle
            label="Interpolate RoPE"
            value={interpolate}
            testid="use-extend-interpolate"
            change={setInterpolate}
          />
        )}
        <button
          type="button"
          class="action"
          aria-disabled={!able}
          aria-describedby="use-extend-said"
          onClick={() => able && extend({ factor: Number(factor), steps, interpolate: rope && interpolate })}
          data-testid="use-extend-go"
        >
          Train at {count(length)} tokens
        </button>
      </div>
      <p class="help" id="use-extend-said" role="status" data-testid="use-extend-said">
        {why ?? (canExtend.value ? '' : 'The run has to end first.')}
      </p>
    </section>
  );
}

function refusal(position: string | undefined, length: number): string | null {
  if (position === undefined) return 'There is no run yet.';
  if (position === 'learned')
    return 'Learned positions cannot be lengthened: those beyond the trained ones have no vector. RoPE, ALiBi, sinusoidal ones and none can.';
  if (length > LONGEST) return `At most ${count(LONGEST)} tokens.`;
  return null;
}
