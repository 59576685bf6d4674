// What each choice of a kind reaches by itself: the default run with every optimizer, activation and encoding, each at its
// own defaults, on the CPU device, natively.
//
//   npm run bench:choices [-- --fields model.position --seeds 1,2 --set training.steps=400]
//
// Prints a line a run and, at the end, for each field its values, the best first: mean validation bits per byte, and how
// far that is from the best.

import { parseArgs } from 'node:util';
import { choices, sweep } from './sweep.mjs';

const { values: options } = parseArgs({
  options: {
    fields: { type: 'string', default: 'optimizer.kind,model.activation,model.position' },
    seeds: { type: 'string', default: '1' },
    set: { type: 'string', multiple: true, default: [] },
  },
});

const table = options.fields.split(',').map((field) => ({
  field,
  means: sweep({ field, values: choices(field), seeds: options.seeds.split(','), set: options.set }),
}));
for (const { field, means } of table) {
  means.sort((a, b) => a.mean - b.mean);
  console.log(`\n${field}`);
  for (const { value, mean } of means)
    console.log(
      `  ${value.padEnd(14)}${mean.toFixed(3)}  +${((100 * mean) / means[0].mean - 100).toFixed(1)} %`,
    );
}
