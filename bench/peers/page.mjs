// Trains the workload with one implementation, in the browser. `options`: {module, warmup, steps, config, text, …}.

import { workload } from './tensors.mjs';

export async function run(options) {
  const { parameters, batches } = await workload('/run');
  const { prepare } = await import(options.module);
  const step = await prepare({ ...options, parameters });
  const [losses, milliseconds] = [[], []];
  let before = 0;
  for (let i = 0; i < options.warmup + options.steps; i++) {
    if (i === options.warmup) before = await globalThis.cpuSeconds();
    const begin = performance.now();
    losses.push(await step(i + 1, batches[i].tokens, batches[i].targets));
    if (i >= options.warmup) milliseconds.push(performance.now() - begin);
  }
  const cpu = ((await globalThis.cpuSeconds()) - before) * 1000;
  return { losses, milliseconds, cpu: cpu / options.steps };
}
