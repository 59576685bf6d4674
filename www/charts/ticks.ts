// Ranges and ticks: round numbers, on linear and logarithmic axes.

/** Room left above and below the lines, as a part of the range. */
const MARGIN = 0.06;

export function padded(low: number, high: number, log: boolean, fromZero: boolean): [number, number] {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return log ? [0.1, 10] : [0, 1];
  if (log) {
    const factor = Math.max(high / low, 1.2) ** MARGIN;
    return [low / factor, high * factor];
  }
  const margin = (high - low || Math.abs(high) || 1) * MARGIN;
  return [fromZero ? 0 : low - margin, high + margin];
}

/** At most `most` ticks: 1, 2, 5 where there is room, else powers of ten, else every so many of those. */
export function logTicks(low: number, high: number, most: number): number[] {
  // Less than a decade: even steps read better than 1, 2, 5.
  if (high / low < 10) return linearTicks(low, high, Math.min(most, 5));
  const first = Math.floor(Math.log10(low));
  const powers = Array.from({ length: Math.ceil(Math.log10(high)) - first + 1 }, (_, i) => 10 ** (first + i));
  const within = (ticks: number[]) => ticks.filter((tick) => tick >= low && tick <= high);
  const fine = within(powers.flatMap((power) => [power, 2 * power, 5 * power]));
  if (fine.length <= most) return fine;
  const coarse = within(powers);
  const stride = Math.ceil(coarse.length / Math.max(most, 1));
  return coarse.filter((_, i) => i % stride === 0);
}

export function linearTicks(low: number, high: number, about: number): number[] {
  const rough = (high - low) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((multiple) => multiple * power >= rough) ?? 10);
  const ticks: number[] = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + step * 1e-9; tick += step) {
    ticks.push(Number(tick.toPrecision(12)));
  }
  return ticks;
}

/** Short and exact: 0.0003, 1.5, 2 k, 3 M. */
export function tickText(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-3) return value.toExponential().replace('e-', 'e−');
  if (size < 1e3) return String(Number(value.toPrecision(6)));
  const index = Math.min(Math.floor(Math.log10(size) / 3 + 1e-9), 6);
  return `${Number((value / 1000 ** index).toPrecision(4))} ${['', 'k', 'M', 'G', 'T', 'P', 'E'][index]}`;
}
