// Where the default learning rate comes from: a small sweep at the default config on the CPU device, natively.
//
//   npm run bench:learning-rate [-- --values 0.001,0.003 --seeds 1,2 --set training.steps=300]
//
// Prints a line a run and, at the end, the mean validation bits per byte of each value.

import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { root } from '../scripts/lib.mjs';

const { values: options } = parseArgs({
  options: {
    field: { type: 'string', default: 'optimizer.learning_rate' },
    values: { type: 'string', default: '0.001,0.002,0.004,0.008,0.016' },
    seeds: { type: 'string', default: '1,2' },
    set: { type: 'string', multiple: true, default: [] },
  },
});

function trainlab(...args) {
  const result = spawnSync('cargo', ['run', '--release', '--quiet', '--', ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { ...result, lines: result.stdout.trim().split('\n').map(JSON.parse) };
}

const means = [];
for (const value of options.values.split(',')) {
  const results = [];
  for (const seed of options.seeds.split(',')) {
    const set = [
      `${options.field}=${value}`,
      `training.seed=${seed}`,
      'evaluation.every=0',
      'evaluation.sample_every=0',
    ];
    const args = [...set, 'evaluation.bytes=65536', ...options.set].flatMap((assignment) => [
      '--set',
      assignment,
    ]);
    const { status, lines, stderr } = trainlab('train', '--device', 'cpu', ...args);
    const last = lines.findLast((line) => line.validation)?.validation;
    // A run that diverges is a result.
    const bits = status === 0 ? last.bits_per_byte : Number.POSITIVE_INFINITY;
    if (status === 2) throw new Error(stderr);
    results.push(bits);
    console.log(JSON.stringify({ [options.field]: Number(value), seed: Number(seed), bits_per_byte: bits }));
  }
  means.push({ value, mean: results.reduce((a, b) => a + b, 0) / results.length });
}
for (const { value, mean } of means)
  console.log(`${options.field} ${value}: ${mean.toFixed(3)} bits per byte`);
