// The same in figures: a row for each length.

import { count, figures, percent } from '../../format';
import type { Usage } from '../../lab';
import { MOST_EPOCHS, PACKINGS, packingOf, readOf, span } from './figures';
import type { Measured } from './state';

export function LengthTable({ measured, usage }: { measured: Measured; usage: Usage | null }) {
  const { buckets, expected, tokens } = measured.lengths;
  const read = readOf(usage, buckets);
  const now = packingOf(measured);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="wide-table" tabIndex={0} aria-label="Documents by length">
      <table data-testid="length-table">
        <thead>
          <tr>
            <th scope="col">
              Length <small>tokens</small>
            </th>
            <th scope="col">Documents</th>
            <th scope="col">
              Tokens <small>and share of all</small>
            </th>
            {expected.map(({ packing }) => (
              <th scope="col" key={packing} data-chosen={packing === now || undefined}>
                {PACKINGS[packing]}{' '}
                <small>{packing === now ? 'chosen; epochs expected' : 'epochs expected'}</small>
              </th>
            ))}
            {read && (
              <th scope="col">
                Read so far <small>epochs; below, the one read most</small>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {buckets.map((bucket, i) => {
            const own = read?.buckets[i];
            return (
              <tr
                key={bucket.from}
                data-testid="length-row"
                data-from={bucket.from}
                data-tokens={bucket.tokens}
              >
                <th scope="row">{span(bucket)}</th>
                <td class="amount">{count(bucket.documents)}</td>
                <td class="amount">
                  {count(bucket.tokens)} <small>{percent(bucket.tokens / tokens)}</small>
                </td>
                {expected.map(({ packing, epochs }) => (
                  <Epochs key={packing} value={bucket.documents > 0 ? (epochs[i] ?? 0) : null} />
                ))}
                {own && <Epochs value={own.epochs} most={own.most} />}
              </tr>
            );
          })}
          <tr>
            <th scope="row">All</th>
            <td class="amount">{count(measured.lengths.documents)}</td>
            <td class="amount">{count(tokens)}</td>
            {expected.map(({ packing, whole, filled }) => (
              <td class="amount" key={packing}>
                {figures(whole)} <small>{percent(filled)} is text</small>
              </td>
            ))}
            {read && <Epochs value={read.whole} />}
          </tr>
        </tbody>
      </table>
    </section>
  );
}

function Epochs({ value, most }: { value: number | null; most?: number }) {
  if (value === null) return <td class="amount">–</td>;
  return (
    <td class="amount" data-worn={value > MOST_EPOCHS || undefined}>
      {figures(value)}
      {most !== undefined && <small>{figures(most)}</small>}
    </td>
  );
}
