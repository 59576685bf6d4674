// Ranges and ticks: round numbers, on linear and logarithmic axes.

/** Room left above and below the lines, as a part of the range. */
const MARGIN = 0.06;
/** From here on a logarithmic axis shows powers of ten only. */
const DECADES_FOR_POWERS = 3;

export function padded(low: number, high: number, log: boolean, fromZero: boolean): [number, number] {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return log ? [0.1, 10] : [0, 1];
  if (log) {
    const factor = Math.max(high / low, 1.2) ** MARGIN;
    return [low / factor, high * factor];
  }
  const margin = (high - low || Math.abs(high) || 1) * MARGIN;
  return [fromZero ? 0 : low - margin, high + margin];
}

export function logTicks(low: number, high: number): number[] {
  const decades = Math.log10(high / low);
  const mantissas = decades >= DECADES_FOR_POWERS ? [1] : decades >= 1 ? [1, 2, 5] : null;
  // Less than a decade: even steps read better than 1, 2, 5.
  if (!mantissas) return linearTicks(low, high, 5);
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const mantissa of mantissas) {
      const tick = mantissa * 10 ** power;
      if (tick >= low && tick <= high) ticks.push(tick);
    }
  }
  return ticks;
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
