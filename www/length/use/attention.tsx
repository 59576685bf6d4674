// What the heads attend to in a text: how far back on average, and the map of one of them.

import { useState } from 'preact/hooks';
import { Select } from '../../charts/inputs';
import { getKnown } from '../../config/values';
import { count, percent } from '../../format';
import { record } from '../../state';
import { Asker } from './asker';
import { AttentionMap } from './map';
import { attention } from './state';
import type { Attention, HeadFigures } from './types';
import { headsCsv, saveCsvOf } from './words';

/** Characters that make more tokens than are looked at, with any tokenizer. */
const LONGEST = 4000;

export function AttentionPart() {
  const [typed, type] = useState<string | null>(null);
  const run = record.value?.config;
  const prompt = typed ?? (run ? String(getKnown(run, 'evaluation.prompt')) : '');
  const found = attention.value;
  return (
    <section aria-labelledby="use-attention-title" data-testid="use-attention-part">
      <h3 id="use-attention-title">What attention looks at</h3>
      <label class="use-prompt">
        <span>Text to read (its first 256 tokens, or as many as the context has)</span>
        <textarea
          rows={2}
          maxLength={LONGEST}
          value={prompt}
          onInput={({ currentTarget }) => type(currentTarget.value)}
          data-testid="use-prompt"
        />
      </label>
      <Asker
        question={{ what: 'attention', prompt }}
        label="Look at attention"
        of={found}
        said={found ? said(found.step, found.value) : ''}
      >
        {found && (
          <button
            type="button"
            class="quiet"
            onClick={() => saveCsvOf(headsCsv(found.value), 'attention')}
            data-testid="use-attention-csv"
          >
            Save CSV
          </button>
        )}
      </Asker>
      {found && <Shown key={`${found.run} ${found.step} ${found.value.prompt}`} attention={found.value} />}
    </section>
  );
}

const said = (step: number, { tokens, left_out }: Attention): string =>
  `${count(tokens.length)} tokens are read, after step ${count(step)}.` +
  (left_out > 0 ? ` ${count(left_out)} more did not fit.` : '');

function Shown({ attention }: { attention: Attention }) {
  const [chosen, choose] = useState('0');
  const at = Number(chosen);
  const { figures, uniform_distance, tokens } = attention;
  const names = Object.fromEntries(figures.map((head, i) => [String(i), nameOf(head)]));
  return (
    <>
      <p class="help">
        Mean distance: how many tokens back a head looks, averaged over the tokens that look. One that looks
        at all tokens alike has {uniform_distance.toFixed(2)} here.
      </p>
      <Heads attention={attention} chosen={at} choose={(i) => choose(String(i))} />
      {tokens.length > 1 && (
        <>
          <div class="chart-controls">
            <Select label="Head" choices={names} value={chosen} testid="use-head" change={choose} />
          </div>
          <AttentionMap attention={attention} index={at} name={names[chosen] ?? ''} />
        </>
      )}
    </>
  );
}

const nameOf = ({ layer, head }: HeadFigures): string => `Layer ${layer + 1}, head ${head + 1}`;

type HeadsProps = { attention: Attention; chosen: number; choose: (index: number) => void };

function Heads({ attention: { figures, uniform_distance }, chosen, choose }: HeadsProps) {
  const most = Math.max(uniform_distance, ...figures.map(({ distance }) => distance), 1e-9);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="scores use-heads" tabIndex={0} aria-label="Where each head looks">
      <table>
        <thead>
          <tr>
            <th scope="col">Head</th>
            <th scope="col">Mean distance, tokens</th>
            <th scope="col">On itself</th>
            <th scope="col">On the one before</th>
            <th scope="col">On the first</th>
          </tr>
        </thead>
        <tbody>
          {figures.map((figure, i) => (
            <tr key={nameOf(figure)} data-testid="use-head-figures" data-distance={figure.distance}>
              <th scope="row">
                <button type="button" class="sort" aria-pressed={i === chosen} onClick={() => choose(i)}>
                  {nameOf(figure)}
                </button>
              </th>
              <td>
                <span class="use-distance" style={{ '--share': figure.distance / most }}>
                  {figure.distance.toFixed(2)}
                </span>
              </td>
              <td>{percent(figure.on_itself)}</td>
              <td>{percent(figure.on_previous)}</td>
              <td>{percent(figure.on_first)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
