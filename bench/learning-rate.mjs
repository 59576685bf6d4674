// Where a default learning rate comes from: a small sweep at the default config on the CPU device, natively.
//
//   npm run bench:learning-rate [-- --values 0.001,0.003 --seeds 1,2 --set training.steps=300 --set optimizer.kind=lion]
//
// Prints a line a run and, at the end, the mean validation bits per byte of each value. Without --values: the default of
// the optimizer at hand, and halves and doubles of it. `npm run bench:optimizers` does so for all optimizers.

import { parseArgs } from 'node:util';
import { defaultRate, sweep } from './sweep.mjs';

const { values: options } = parseArgs({
  options: {
    field: { type: 'string', default: 'optimizer.learning_rate' },
    values: { type: 'string' },
    seeds: { type: 'string', default: '1,2' },
    set: { type: 'string', multiple: true, default: [] },
  },
});

const around = (value) => [0.25, 0.5, 1, 2, 4].map((factor) => Number((factor * value).toPrecision(3)));
const values = options.values?.split(',') ?? around(defaultRate(options.set));
const means = sweep({ field: options.field, values, seeds: options.seeds.split(','), set: options.set });
for (const { value, mean } of means)
  console.log(`${options.field} ${value}: ${mean.toFixed(3)} bits per byte`);
