// What a training step costs on the CPU device in wasm: the same module as in the page, run by Node.
//
//   npm run bench:step [-- --steps 20]
//
// Node before 22 has relaxed SIMD behind a flag: node --experimental-wasm-relaxed-simd bench/step.mjs
//
// Workload W: 4 layers, 128 wide, 4 heads, hidden 512, untied head, vocabulary 512, T 128, B 8.

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { loadCore } from '../scripts/build.mjs';

const { values } = parseArgs({ options: { steps: { type: 'string', default: '20' } } });
const steps = Number(values.steps);
const warmup = 3;

const { core, name } = await loadCore();

const config = {
  data: { corpus: 'own' },
  model: { layers: 4, width: 128, heads: 4, hidden: 512, context: 128, tied_head: false },
  optimizer: { learning_rate: 1e-3, beta2: 0.95, clip_norm: 0 },
  schedule: { kind: 'constant', warmup_steps: 0 },
  training: { steps: steps + warmup, batch_size: 8 },
  evaluation: { every: 0, sample_every: 0, bytes: 256 },
};
// 511 characters and the unknown one: a vocabulary of 512.
const text = Array.from({ length: 100_000 }, (_, i) => String.fromCodePoint(0x4e00 + ((i * i) % 511))).join(
  '',
);
const everyCharacter = Array.from({ length: 511 }, (_, i) => String.fromCodePoint(0x4e00 + i)).join('');

const lab = await core.Lab.open('cpu');
const run = await lab.start(config, everyCharacter + text);
const plan = lab.plan(config, everyCharacter + text);
await run.evaluate();

const times = [];
let before = process.cpuUsage();
for (let i = 0; i < steps + warmup; i++) {
  if (i === warmup) before = process.cpuUsage();
  const start = performance.now();
  run.step();
  if (i >= warmup) times.push(performance.now() - start);
}
const { user, system } = process.cpuUsage(before);
times.sort((a, b) => a - b);
const median = times[times.length >> 1];
const round = (x) => Math.round(x * 10) / 10;
console.log(
  JSON.stringify({
    workload: 'W',
    device: `CPU device in wasm (${name}), Node ${process.version}, ${cpus()[0].model.trim()}`,
    vocabulary: plan.vocabulary,
    parameters: plan.parameters,
    steps,
    ms_per_step_median: round(median),
    ms_per_step_min: round(times[0]),
    cpu_ms_per_step: round((user + system) / 1000 / steps),
    gflops: round((plan.flops_per_token * plan.tokens_per_step) / median / 1e6),
  }),
);
