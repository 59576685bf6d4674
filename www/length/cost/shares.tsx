// Where the time of a step goes, part by part: a bar a cell.

import { count, percent } from '../../format';
import type { Part } from '../../lab';
import type { Cell } from './types';

export const PARTS: Record<Part, string> = {
  attention: 'attention',
  matmul: 'other products',
  head: 'head and loss',
  optimizer: 'optimizer',
  rest: 'rest',
};

export function Shares({ cells }: { cells: Cell[] }) {
  return (
    <section aria-labelledby="cost-shares">
      <h3 id="cost-shares">Where a step’s time goes, by part</h3>
      <ul class="cost-parts legend">
        {Object.entries(PARTS).map(([part, label]) => (
          <li key={part} class={part}>
            {label}
          </li>
        ))}
      </ul>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section class="wide-table" tabIndex={0} aria-label="Shares of a step’s time">
        <table class="cost-shares" data-testid="cost-shares">
          <thead>
            <tr>
              <th scope="col">Width</th>
              <th scope="col">Context</th>
              <th scope="col">Share of the kernels’ time</th>
              <th scope="col">Attention</th>
              <th scope="col">
                <small>of the operations</small>
              </th>
            </tr>
          </thead>
          <tbody>
            {cells.map((cell) => (
              <Row key={`${cell.width} ${cell.length}`} cell={cell} />
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}

function Row({ cell: { width, length, parts } }: { cell: Cell }) {
  const attention = parts.find(({ part }) => part === 'attention');
  const words = parts.map(({ part, share }) => `${PARTS[part]} ${percent(share)}`).join(', ');
  return (
    <tr data-testid="cost-cell">
      <th scope="row">{width}</th>
      <td>{count(length)}</td>
      <td class="stack">
        <span class="bar cost-parts" role="img" aria-label={words} title={words}>
          {parts.map(({ part, share }) => (
            <span key={part} class={part} style={{ flexGrow: share }} />
          ))}
        </span>
      </td>
      <td>{percent(attention?.share ?? 0)}</td>
      <td>{percent(attention?.flops_share ?? 0)}</td>
    </tr>
  );
}
