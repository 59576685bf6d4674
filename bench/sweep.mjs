// Runs at several values of a setting, on the CPU device, natively: what a default is chosen from.

import { spawnSync } from 'node:child_process';
import { root } from '../scripts/lib.mjs';

/** TRAINLAB names a program that is built already; otherwise cargo builds one. */
const [program, ...first] = process.env.TRAINLAB
  ? [process.env.TRAINLAB]
  : ['cargo', 'run', '--release', '--quiet', '--'];

/** Runs the program to its end. */
export function trainlab(...args) {
  const result = spawnSync(program, [...first, ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // The lab's own refusals, and cargo's.
  if (result.status === 2 || result.status === 101) throw new Error(result.stderr);
  return result;
}

/** The schema of configs, which says what a choice's defaults are. */
export const schema = () => JSON.parse(trainlab('schema').stdout);

/** The values that a field may choose from. */
export function choices(path) {
  const { properties, $defs } = schema();
  const resolve = ({ $ref }) => $defs[$ref.split('/').at(-1)];
  const [section, name] = path.split('.');
  const { oneOf } = resolve(resolve(properties[section]).properties[name]);
  return oneOf.flatMap((choice) => choice.const ?? choice.enum);
}

/** The learning rate that a config has by itself. */
export function defaultRate(set) {
  const { stdout } = trainlab('config', ...asArguments(set));
  return JSON.parse(stdout).optimizer.learning_rate;
}

export const asArguments = (set) => set.flatMap((assignment) => ['--set', assignment]);

/** Prints a line a run; returns the mean validation bits per byte at each value. */
export function sweep({ field, values, seeds, set }) {
  return values.map((value) => {
    const results = seeds.map((seed) => {
      const all = [
        'evaluation.every=0',
        'evaluation.sample_every=0',
        'evaluation.bytes=65536',
        `training.seed=${seed}`,
        ...set,
        `${field}=${value}`,
      ];
      const { status, stdout } = trainlab('train', '--device', 'cpu', ...asArguments(all));
      const lines = stdout.trim().split('\n').map(JSON.parse);
      // A run that diverges is a result.
      const bits =
        status === 0
          ? lines.findLast((line) => line.validation).validation.bits_per_byte
          : Number.POSITIVE_INFINITY;
      console.log(JSON.stringify({ set, [field]: value, seed: Number(seed), bits_per_byte: bits }));
      return bits;
    });
    return { value, mean: results.reduce((a, b) => a + b, 0) / results.length };
  });
}
