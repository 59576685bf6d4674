// A mean over seeds and how well it is known. What a difference is worth is the core's to say.

/** `low` and `high`: the 95 % interval of the mean; null where one value cannot tell. */
export type Estimate = {
  n: number;
  mean: number;
  sd: number | null;
  low: number | null;
  high: number | null;
};

export function estimate(values: number[]): Estimate | null {
  const n = values.length;
  if (n === 0) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n === 1) return { n, mean, sd: null, low: null, high: null };
  const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
  const half = (quantile(n - 1) * sd) / Math.sqrt(n);
  return { n, mean, sd, low: mean - half, high: mean + half };
}

const quantiles = new Map<number, number>();

/** Of Student's t: what |t| stays within with probability 0.95. */
export function quantile(freedom: number): number {
  const known = quantiles.get(freedom);
  if (known !== undefined) return known;
  let [low, high] = [0, Math.PI / 2];
  for (let halvings = 0; halvings < 60; halvings++) {
    const middle = (low + high) / 2;
    if (within(middle, freedom) < 0.95) low = middle;
    else high = middle;
  }
  const value = Math.sqrt(freedom) * Math.tan(low);
  quantiles.set(freedom, value);
  return value;
}

/** P(|t| < √ν tan θ) for a whole ν, a finite sum (Abramowitz & Stegun 26.7.3 and 26.7.4). */
function within(angle: number, freedom: number): number {
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  const odd = freedom % 2 === 1;
  let term = odd ? cos : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k <= freedom - 2; k += 2) {
    term *= (cos * cos * (k - 1)) / k;
    sum += term;
  }
  return odd ? (2 / Math.PI) * (angle + sin * sum) : sin * sum;
}
