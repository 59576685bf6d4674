// What was measured, as charts: rates, what each doubling changes, where the time goes, the law, and others' rates.

import { count, figures, si } from '../../format';
import { grouped } from './group';
import { type Line, Lines } from './lines';
import { Shares } from './shares';
import type { Cell, Crossover, Measured, Published } from './types';

type Props = { measured: Measured; published: Published[] };

export function Figures({ measured, published }: Props) {
  const { report, device } = measured;
  const rows = grouped(report.cells, ({ width }) => width);
  const lines = (of: (cell: Cell) => number): Line[] =>
    rows.map(([width, cells], look) => ({
      label: `width ${width}`,
      look,
      points: cells.map((cell) => ({ x: cell.length, y: of(cell) })),
    }));
  return (
    <div data-testid="length-cost-result">
      <p class="muted">
        {device.kind === 'gpu' ? device.name : 'The CPU device, one worker'},{' '}
        {count(measured.experiment.tokens)} tokens a step, {measured.experiment.base.model?.layers as number}{' '}
        layers; {CLOCKS[measured.clock]}
      </p>
      <div class="cost-charts">
        <Lines
          id="cost-rate"
          title="Tokens per second by context"
          y="Tokens per second"
          logY
          lines={lines(({ tokens_per_second }) => tokens_per_second)}
          note="Medians of steps that took turns, as many tokens in each."
        />
        <Doublings measured={measured} published={published} />
        <Law measured={measured} />
      </div>
      <Crossovers crossovers={report.crossovers} />
      <Shares cells={report.cells} />
    </div>
  );
}

const CLOCKS = {
  cpu: 'kernels are timed alone, by the browser’s clock.',
  timestamps: 'kernels are timed alone, by the GPU’s own clock.',
  wall_clock: 'kernels are timed alone, by the browser’s clock around a submit and the way back.',
};

const SNAPSHOTS = [
  ['2023-07-21', 'A100 80GB'],
  ['latest', 'A100 80GB'],
] as const;

/** Ours and others', on one scale. */
function Doublings({ measured, published }: Props) {
  const ours: Line[] = grouped(measured.report.doublings, ({ width }) => width).map(
    ([width, doublings], look) => ({
      label: `width ${width}`,
      look,
      points: doublings.map(({ to, change }) => ({ x: to, y: 100 * change })),
    }),
  );
  const theirs = SNAPSHOTS.map(([snapshot, hardware]) => ({
    snapshot,
    lines: models(published, snapshot, hardware),
  }));
  const around = [ours, ...theirs.map(({ lines }) => lines)]
    .flat()
    .flatMap(({ points }) => points.map(({ y }) => y));
  const y = 'Change of tokens per second, %';
  return (
    <>
      <Lines
        id="cost-doubling"
        title="What each doubling of the context changes"
        y={y}
        around={around}
        lines={ours}
        note="At the longer of the two contexts: −20% is a fifth fewer tokens per second. The narrower the model, the steeper."
      />
      {theirs.map(
        ({ snapshot, lines }) =>
          lines.length > 0 && (
            <Lines
              key={snapshot}
              id={`cost-published-${snapshot}`}
              title={`The same in MosaicML’s table, ${snapshot === 'latest' ? 'latest' : snapshot}`}
              y={y}
              around={around}
              lines={lines}
              note="MPT models by parameters on A100s with 80 GB, from llm-foundry’s benchmarks (Apache-2.0). Batch size and checkpointing change along a line: the trend counts, not single points."
            />
          ),
      )}
    </>
  );
}

/** A line a model, the smallest first. */
function models(published: Published[], snapshot: string, hardware: string): Line[] {
  const table = published.filter((line) => line.snapshot === snapshot && line.hardware === hardware);
  return grouped(table, ({ model }) => model)
    .sort(([one], [other]) => size(one) - size(other))
    .map(([model, all], look) => {
      const byLength = new Map(all.map((line) => [line.length, line.tokens_per_second]));
      const points = [...byLength]
        .sort(([one], [other]) => one - other)
        .flatMap(([length, rate]) => {
          const before = byLength.get(length / 2);
          return before ? [{ x: length, y: 100 * (rate / before - 1) }] : [];
        });
      return { label: model.toUpperCase(), look, points };
    });
}

const size = (model: string): number => Number.parseFloat(model) * (model.endsWith('b') ? 1000 : 1);

/** Attention's share of its own and the blocks' products' time, and of their operations by the law. */
function Law({ measured: { report } }: { measured: Measured }) {
  const lines = report.crossovers.flatMap(({ width }, look): Line[] => {
    const cells = report.cells.filter((cell) => cell.width === width);
    const predictions = report.predictions.filter((prediction) => prediction.width === width);
    const label = `width ${width}`;
    return [
      { label, look, points: cells.map((cell) => ({ x: cell.length, y: 100 * shareOf(cell) })) },
      { label, look, law: true, points: predictions.map((of) => ({ x: of.length, y: 100 * of.law_share })) },
    ];
  });
  return (
    <Lines
      id="cost-law"
      title="Attention’s share of a block"
      y="Share of the time, %"
      around={[0, 100]}
      lines={lines}
      note="Of the time of attention and the blocks’ other products. Dashed: the share of their operations by the causal law, T / (12 d + T)."
    />
  );
}

function shareOf({ parts }: Cell): number {
  const seconds = (wanted: string) => parts.find(({ part }) => part === wanted)?.seconds ?? 0;
  return seconds('attention') / (seconds('attention') + seconds('matmul'));
}

function Crossovers({ crossovers }: { crossovers: Crossover[] }) {
  return (
    <section aria-labelledby="cost-crossovers">
      <h3 id="cost-crossovers">Where attention is half</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section class="wide-table" tabIndex={0} aria-label="The context at which attention is half">
        <table data-testid="crossovers">
          <thead>
            <tr>
              <th scope="col">Width d</th>
              <th scope="col">
                Law, whole matrix <small>6 d, tokens</small>
              </th>
              <th scope="col">
                Law, causal <small>12 d, tokens</small>
              </th>
              <th scope="col">
                These kernels’ operations <small>tokens</small>
              </th>
              <th scope="col">
                Measured <small>tokens</small>
              </th>
              <th scope="col">
                Attention <small>FLOP/s</small>
              </th>
              <th scope="col">
                Products <small>FLOP/s</small>
              </th>
            </tr>
          </thead>
          <tbody>
            {crossovers.map(({ width, law, counted, beside_products, attention_gflops, products_gflops }) => (
              <tr key={width} data-testid="crossover">
                <th scope="row">{width}</th>
                <td>{count(law.full)}</td>
                <td>{count(law.causal)}</td>
                <td>{count(counted)}</td>
                <td data-value={beside_products.length}>
                  {count(beside_products.length)}
                  {beside_products.beyond && <small>beyond what was measured</small>}
                </td>
                <td>{si(attention_gflops * 1e9)}</td>
                <td>{si(products_gflops * 1e9)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p class="help">
        Backward, these kernels compute scores anew instead of keeping the T × T matrix: that moves T* down to
        what is in the fourth column. What is measured differs from that as attention’s FLOP/s differ from the
        products’{first(crossovers)}.
      </p>
    </section>
  );
}

function first(crossovers: Crossover[]): string {
  const [of] = crossovers;
  if (!of) return '';
  const rates = of.attention_gflops / of.products_gflops;
  return `: at width ${of.width}, ${figures(rates)} times`;
}
