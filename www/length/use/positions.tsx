// The loss by position: how well a token is predicted with so many before it, and what each doubling gains.

import { count } from '../../format';
import { record, revision } from '../../state';
import { Plot, type Point } from './plot';
import type { ByPosition } from './types';
import { bits, finite, positionsCsv, range, saveCsvOf, signed, withError } from './words';

export function Positions() {
  // The record is no signal; this counts its changes.
  revision.value;
  const positions = record.value?.findings.positions;
  return (
    <section aria-labelledby="use-positions-title" data-testid="use-positions">
      <h3 id="use-positions-title">Loss by position in the context</h3>
      {positions ? (
        <Shown step={positions.step} by={positions.by} />
      ) : (
        <p class="muted" data-testid="use-no-positions">
          A run shows this with each validation. Train one in the Train view.
        </p>
      )}
    </section>
  );
}

function Shown({ step, by }: { step: number; by: ByPosition }) {
  const points = by.last.map(
    (last, i): Point => ({
      x: last,
      y: by.bits_per_byte[i] ?? Number.NaN,
      error: finite(by.standard_error[i]),
      words: `${range(by, i)} tokens before: ${withError(by.bits_per_byte[i] ?? null, by.standard_error[i])} bits per byte`,
    }),
  );
  const gains = by.gain.map(
    (gain, i): Point => ({
      x: by.last[i + 1] ?? Number.NaN,
      y: gain,
      error: finite(by.gain_standard_error[i]),
      words: `${range(by, i + 1)} tokens before, over ${range(by, i)}: ${gainOf(by, i)} bits per byte`,
    }),
  );
  return (
    <>
      <p class="help">{verdict(by)}</p>
      <Plot
        id="use-positions-plot"
        title={`Loss by position, after step ${count(step)}`}
        lines={[{ label: 'Held-out text', look: 0, points: points.filter(({ y }) => Number.isFinite(y)) }]}
        across="Tokens before the predicted one (up to)"
        up="Loss (bits per byte)"
        note="Of the last validation. Where the line still falls at its end, a longer context would help."
      />
      {gains.length > 1 && (
        <Plot
          id="use-gains-plot"
          title={`Gain of each doubling, after step ${count(step)}`}
          lines={[{ label: 'Held-out text', look: 4, points: gains.filter(({ y }) => Number.isFinite(y)) }]}
          across="Tokens before the predicted one (up to)"
          up="Gain (bits per byte)"
          note="By how much tokens with so many before them are predicted better than those with half as many."
        />
      )}
      <details class="shown">
        <summary>As a table</summary>
        <Table by={by} />
      </details>
      <button
        type="button"
        class="quiet"
        onClick={() => saveCsvOf(positionsCsv(by), 'loss-by-position')}
        data-testid="use-positions-csv"
      >
        Save CSV
      </button>
    </>
  );
}

/** What the last doubling says. */
function verdict(by: ByPosition): string {
  const [gain, error] = [by.gain.at(-1), finite(by.gain_standard_error.at(-1))];
  if (gain === undefined || !Number.isFinite(gain)) return 'There is one position only.';
  const doubling = `The last doubling of what is seen, to ${count(by.last.at(-1) ?? 0)} tokens`;
  if (error === null) return `${doubling}, changes the loss by ${signed(-gain)} bits per byte.`;
  const figures = `${signed(gain)} ± ${bits(error)} bits per byte`;
  if (gain > 2 * error) return `${doubling}, is used: it gains ${figures}.`;
  if (gain < -2 * error) return `${doubling}, harms: it gains ${figures}.`;
  return `${doubling}, shows no gain beyond two standard errors: ${figures}.`;
}

function Table({ by }: { by: ByPosition }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="scores" tabIndex={0} aria-label="Loss by position">
      <table>
        <thead>
          <tr>
            <th scope="col">Tokens before</th>
            <th scope="col">Bits per byte</th>
            <th scope="col">Gain over the bucket before</th>
            <th scope="col">Nats per token</th>
            <th scope="col">Tokens scored</th>
          </tr>
        </thead>
        <tbody>
          {by.last.map((last, i) => (
            <tr key={last} data-testid="use-position" data-bits={by.bits_per_byte[i]}>
              <th scope="row">{range(by, i)}</th>
              <td>{withError(by.bits_per_byte[i] ?? null, by.standard_error[i])}</td>
              <td>{i === 0 ? '' : gainOf(by, i - 1)}</td>
              <td>{withError(by.loss[i] ?? null, by.loss_standard_error[i])}</td>
              <td>{count(by.tokens[i] ?? 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function gainOf(by: ByPosition, i: number): string {
  const error = finite(by.gain_standard_error[i]);
  return `${signed(by.gain[i] ?? Number.NaN)}${error === null ? '' : ` ± ${bits(error)}`}`;
}
