// How each encoding reads shorter and longer pieces than it was trained on (Press et al. 2021, arXiv 2108.12409, figure 1): a
// run with each, then the same held-out text at each length, on the CPU device, natively.
//
//   npm run bench:beyond [-- --lengths 16,32,64,128,256,512 --seeds 1,2 --set training.steps=400]
//
// Prints a JSON line a run and, at the end, mean bits per byte by encoding and length; lengths that an encoding does not
// have stay empty.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { asArguments, choices, trainlab } from './sweep.mjs';

const { values: options } = parseArgs({
  options: {
    lengths: { type: 'string', default: '16,32,64,128,256,512' },
    seeds: { type: 'string', default: '1' },
    set: { type: 'string', multiple: true, default: [] },
  },
});
const lengths = options.lengths.split(',').map(Number);
const seeds = options.seeds.split(',');

/** Bits per byte at each length; null where there is none. */
function run(position, seed) {
  const folder = mkdtempSync(join(tmpdir(), 'trainlab-beyond-'));
  try {
    const set = [
      'evaluation.every=0',
      'evaluation.sample_every=0',
      'downstream.tasks=',
      `training.seed=${seed}`,
      ...options.set,
      `model.position=${position}`,
    ];
    const trained = trainlab('train', '--device', 'cpu', '--out', folder, ...asArguments(set));
    if (trained.status !== 0) throw new Error(trained.stderr);
    const read = trainlab('eval', folder, '--device', 'cpu', '--lengths', options.lengths);
    if (read.status !== 0) throw new Error(read.stderr);
    const found = JSON.parse(read.stdout).lengths.map(({ by_position: _, ...figures }) => figures);
    console.log(JSON.stringify({ position, seed: Number(seed), set: options.set, lengths: found }));
    return found.map(({ bits_per_byte }) => bits_per_byte);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const table = choices('model.position').map((position) => {
  const runs = seeds.map((seed) => run(position, seed));
  return { position, means: lengths.map((_, i) => mean(runs.map((run) => run[i]))) };
});

function mean(values) {
  return values.includes(null) ? null : values.reduce((a, b) => a + b, 0) / values.length;
}

console.log(`\nBits per byte | ${lengths.join(' | ')}`);
for (const { position, means } of table)
  console.log(`${position} | ${means.map((bits) => bits?.toFixed(3) ?? '').join(' | ')}`);
