// The workload in trainlab, its wasm module alone. Runs in the browser.

export async function prepare({ device, config, text }) {
  const relaxed = await (await fetch('/pkg/relaxed/trainlab_bg.wasm')).arrayBuffer();
  const core = await import(`/pkg/${WebAssembly.validate(relaxed) ? 'relaxed' : 'simd'}/trainlab.js`);
  await core.default();
  const lab = await core.Lab.open(device);
  const run = await lab.start(config, text);
  await run.evaluate(); // is due before the first step

  return async function step(number) {
    let { metrics } = run.step();
    while (metrics.length === 0) {
      await new Promise((done) => setTimeout(done));
      ({ metrics } = run.collect());
    }
    if (metrics[0].step !== number) throw new Error(`step ${metrics[0].step} came instead of ${number}`);
    return metrics[0].loss;
  };
}
