// The workload in trainlab: its core and, on the CPU, as many workers as in the page, without the page. Bundled for the
// browser by bench/peers.mjs.

import { load } from '../../www/core';
import { usualWorkers } from '../../www/device/workers';
import { Pool } from '../../www/replicas/pool';

/** `workers`: all that share a batch; left out, as many as the page takes. */
export async function prepare({
  device,
  config,
  text,
  workers = usualWorkers(navigator.hardwareConcurrency),
}) {
  const core = await load();
  await core.default();
  const lab = await core.Lab.open(device);
  const team = device === 'cpu' && workers > 1 ? new Pool(workers - 1).team() : undefined;
  const run = await lab.start(config, text, undefined, undefined, undefined, team);
  await run.evaluate(); // is due before the first step

  return async function step(number) {
    let { metrics } = run.step();
    while (metrics.length === 0) {
      await (team ? team.arrival() : new Promise((done) => setTimeout(done)));
      ({ metrics } = run.collect());
    }
    if (metrics[0].step !== number) throw new Error(`step ${metrics[0].step} came instead of ${number}`);
    return metrics[0].loss;
  };
}
