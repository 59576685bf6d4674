// A row a kernel, the largest share of the step first. Scrolls by itself where there is no room.

import { count, figures, percent } from '../format';
import type { KernelTime } from '../lab';
import type { Measured } from '../protocol';
import { ofBest } from './actions';

/** From here on the device holds the kernel back. */
const NEAR = 0.5;

export function Kernels({ measured }: { measured: Measured }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="kernels" tabIndex={0} aria-label="Kernels of a step">
      <table data-testid="kernels">
        <thead>
          <tr>
            <th scope="col">Kernel</th>
            <th scope="col">What</th>
            <th scope="col">Shape, tiling</th>
            <th scope="col">Times a step</th>
            <th scope="col">Once, ms</th>
            <th scope="col">Share of the step</th>
            <th scope="col">
              GFLOP/s <small>and of best</small>
            </th>
            <th scope="col">
              GB/s <small>and of best</small>
            </th>
          </tr>
        </thead>
        <tbody>
          {measured.kernels.map((time) => (
            <Row
              key={[time.kernel, time.label, time.shape].join()}
              time={time}
              best={ofBest(measured, time)}
            />
          ))}
        </tbody>
      </table>
    </section>
  );
}

type RowProps = { time: KernelTime; best: { gflops: number; gigabytes: number } };

function Row({ time, best }: RowProps) {
  return (
    <tr data-testid="kernel" data-share={time.share} data-milliseconds={time.milliseconds}>
      <th scope="row">{breakable(time.kernel)}</th>
      <td class="what">{time.label}</td>
      <td class="shape">
        {time.shape && <span>{time.shape}</span>}
        {time.tiling && <small>{time.tiling}</small>}
      </td>
      <td class="amount">{count(time.count)}</td>
      <td class="amount">{figures(time.milliseconds)}</td>
      <td class="share">
        {percent(time.share)}
        <span class="bar" aria-hidden="true">
          <span style={{ width: percent(time.share) }} />
        </span>
      </td>
      <Rate value={time.gflops} ofBest={best.gflops} />
      <Rate value={time.gigabytes} ofBest={best.gigabytes} />
    </tr>
  );
}

/** A name InSeveralWords can go on in the next line. */
const breakable = (name: string) =>
  name.split(/(?<=[a-z])(?=[A-Z])/).flatMap((word) => [word, <wbr key={word} />]);

function Rate({ value, ofBest }: { value: number; ofBest: number }) {
  // Only products and attention count as arithmetic.
  if (value === 0) return <td class="amount">–</td>;
  return (
    <td class="amount">
      {figures(value)} <small class={ofBest >= NEAR ? 'near' : ''}>{percent(ofBest)}</small>
    </td>
  );
}
