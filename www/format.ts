// Numbers as people read them.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const significant = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E'];

export const count = (value: number): string => whole.format(value);

/** Three significant digits and an SI prefix: 812 k, 1.24 M. */
export function si(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const power = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)) / 3 + 1e-9);
  const index = Math.min(Math.max(power, 0), PREFIXES.length - 1);
  const scaled = value / 1000 ** index;
  const digits = Math.abs(scaled) >= 100 ? 0 : Math.abs(scaled) >= 10 ? 1 : 2;
  const text = index === 0 && Number.isInteger(value) ? String(value) : scaled.toFixed(digits);
  return PREFIXES[index] ? `${text} ${PREFIXES[index]}` : text;
}

export function bytes(value: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB'];
  const index = value < 1 ? 0 : Math.min(Math.floor(Math.log2(value) / 10), units.length - 1);
  const scaled = value / 1024 ** index;
  return `${index === 0 ? scaled : scaled.toFixed(scaled >= 100 ? 0 : 1)} ${units[index]}`;
}

/** Three significant digits. */
export const figures = (value: number): string => significant.format(value);

export const percent = (share: number): string => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)}%`;

export const nats = (value: number): string => value.toFixed(3);

export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${pad(Math.floor(seconds % 60))} s`;
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

const pad = (value: number): string => String(value).padStart(2, '0');
