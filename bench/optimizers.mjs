// Where each optimizer's default learning rate comes from, and what each reaches: all of them at the default config, at
// rates around their defaults, on the CPU device, natively.
//
//   npm run bench:optimizers [-- --kinds lion,muon --factors 0.5,1,2 --seeds 1,2 --set training.steps=400]
//
// Prints a line a run and, at the end, a table of mean validation bits per byte.

import { parseArgs } from 'node:util';
import { defaultRate, schema, sweep } from './sweep.mjs';

const { values: options } = parseArgs({
  options: {
    kinds: { type: 'string' },
    factors: { type: 'string', default: '0.333,1,3' },
    seeds: { type: 'string', default: '1' },
    set: { type: 'string', multiple: true, default: [] },
  },
});

const kinds = options.kinds?.split(',') ?? Object.keys(schema().$defs.OptimizerConfig['x-defaults'].values);
const factors = options.factors.split(',').map(Number);
const table = [];
for (const kind of kinds) {
  const set = [`optimizer.kind=${kind}`, ...options.set];
  const usual = defaultRate(set);
  const values = factors.map((factor) => Number((factor * usual).toPrecision(2)));
  const means = sweep({ field: 'optimizer.learning_rate', values, seeds: options.seeds.split(','), set });
  const best = means.reduce((one, other) => (other.mean < one.mean ? other : one));
  table.push({ kind, means, best });
}
for (const { kind, means, best } of table) {
  const cells = means.map(
    ({ value, mean }) => `${value}: ${mean.toFixed(3)}${value === best.value ? '*' : ' '}`,
  );
  console.log(`${kind.padEnd(12)}${cells.map((cell) => cell.padEnd(18)).join('')}`);
}
