// Evaluation at other lengths than that of training: the ALiBi paper's plot (Press et al. 2021, arXiv 2108.12409).

import { getKnown } from '../../config/values';
import { count } from '../../format';
import { record } from '../../state';
import { Asker } from './asker';
import { Plot, type Point } from './plot';
import { lengths } from './state';
import type { LengthLoss } from './types';
import { finite, lengthsCsv, saveCsvOf, withError } from './words';

export function Beyond() {
  const found = lengths.value;
  return (
    <section aria-labelledby="use-beyond-title" data-testid="use-beyond">
      <h3 id="use-beyond-title">Beyond the trained length</h3>
      <p class="help">
        Reads the same held-out text in shorter and longer pieces than those of training. What a shorter piece
        loses is what the context is worth; past the trained length it shows whether the positions go on.
      </p>
      <Asker
        question={{ what: 'lengths' }}
        label="Measure at other lengths"
        of={found}
        said={
          found ? `${count(found.value.length)} lengths are measured, after step ${count(found.step)}.` : ''
        }
      >
        {found && (
          <button
            type="button"
            class="quiet"
            onClick={() => saveCsvOf(lengthsCsv(found.value), 'lengths')}
            data-testid="use-lengths-csv"
          >
            Save CSV
          </button>
        )}
      </Asker>
      {found && <Shown lengths={found.value} />}
    </section>
  );
}

function Shown({ lengths }: { lengths: LengthLoss[] }) {
  const run = record.value?.config;
  const trained = run && Number(getKnown(run, 'model.context'));
  const points = lengths.flatMap((at): Point[] => {
    const y = finite(at.bits_per_byte);
    const words = `${count(at.length)} tokens: ${withError(y, at.standard_error)} bits per byte`;
    return y === null ? [] : [{ x: at.length, y, error: finite(at.standard_error), words }];
  });
  const refused = lengths.filter(({ reason }) => reason !== null);
  return (
    <>
      {points.length > 0 && (
        <Plot
          id="use-lengths-plot"
          title="Loss by evaluation length"
          lines={[{ label: 'Held-out text', look: 1, points }]}
          across="Evaluation length (tokens)"
          up="Loss (bits per byte)"
          note="The same held-out bytes at each length."
          {...(trained && { mark: { x: trained, words: 'trained' } })}
        />
      )}
      {refused.map(({ length, reason }) => (
        <p key={length} class="help" data-testid="use-length-refused">
          {count(length)} tokens: {reason}
        </p>
      ))}
      <details class="shown">
        <summary>As a table</summary>
        <table class="use-table">
          <thead>
            <tr>
              <th scope="col">Length, tokens</th>
              <th scope="col">Bits per byte</th>
            </tr>
          </thead>
          <tbody>
            {lengths.map((at) => (
              <tr
                key={at.length}
                data-testid="use-length"
                data-length={at.length}
                data-bits={finite(at.bits_per_byte)}
              >
                <th scope="row">{count(at.length)}</th>
                <td>
                  {at.reason === null ? withError(at.bits_per_byte, at.standard_error) : 'not possible'}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </>
  );
}
