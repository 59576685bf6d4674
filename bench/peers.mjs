// A training step in trainlab and in what one would take instead, side by side: in the same Chromium, on the same
// adapter, and natively. All start from the parameters and train on the batches that trainlab exports, so that their
// losses must agree; the largest difference is in the table.
//
//   npm run bench:peers [-- --steps 10] [--slow-steps 2] [--rounds 2] [--python python3] [--only text] [--save FILE]
//
// PyTorch's row wants a Python that has torch and safetensors (--python). CPU-ms are those of all processes of an
// implementation, the browser's too: on a busy machine trust them more than the clock.

import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { build } from 'vite';
import { withGpu } from '../scripts/browser.mjs';
import { buildWasm } from '../scripts/build.mjs';
import { main, output, root, run } from '../scripts/lib.mjs';
import { serve } from '../scripts/serve.mjs';
import { chrome, nodePackages } from '../scripts/setup.mjs';

const { values: options } = parseArgs({
  options: {
    steps: { type: 'string', default: '10' },
    'slow-steps': { type: 'string', default: '2' }, // of what takes seconds a step
    rounds: { type: 'string', default: '2' },
    python: { type: 'string' },
    only: { type: 'string', default: '' },
    save: { type: 'string' },
  },
});
const fast = { steps: Number(options.steps), warmup: 5 };
const slow = { steps: Number(options['slow-steps']), warmup: 1 };

// W of the table: 4 layers, 128 wide, 4 heads, hidden 512, GELU, untied head, vocabulary 512, T 128, B 8.
const W = {
  data: { corpus: 'own' },
  model: { layers: 4, width: 128, heads: 4, hidden: 512, context: 128, tied_head: false },
  optimizer: { learning_rate: 1e-3, beta2: 0.95, clip_norm: 0 },
  schedule: { kind: 'constant', warmup_steps: 0 },
  training: { steps: 1000, batch_size: 8 },
  evaluation: { every: 0, sample_every: 0, bytes: 256 },
};
const tokens = W.training.batch_size * W.model.context;
const letter = (i) => String.fromCodePoint(0x4e00 + i);
// 511 characters, and the unknown one: a vocabulary of 512.
const text = [
  ...Array.from({ length: 511 }, (_, i) => letter(i)),
  ...Array.from({ length: 100_000 }, (_, i) => letter((i * i) % 511)),
].join('');

const ours = '/ours/ours.mjs';
const inBrowser = (name, module, pace, more = {}) => ({
  name,
  pace,
  run: (w) => browser(w, { module, ...pace, ...more }),
});
const implementations = [
  inBrowser('trainlab, wasm (CPU device)', ours, fast, { device: 'cpu' }),
  inBrowser('trainlab, wasm, page not isolated', ours, fast, { device: 'cpu', isolated: false }),
  inBrowser('trainlab, wasm, 1 worker', ours, fast, { device: 'cpu', workers: 1 }),
  inBrowser('jax-js, wasm', '/peers/jaxjs.mjs', fast, { backend: 'wasm' }),
  inBrowser('jax-js, wasm, page not isolated', '/peers/jaxjs.mjs', fast, {
    backend: 'wasm',
    isolated: false,
  }),
  inBrowser('trainlab, WebGPU', ours, slow, { device: 'gpu' }),
  inBrowser('jax-js, WebGPU', '/peers/jaxjs.mjs', slow, { backend: 'webgpu' }),
  inBrowser('TensorFlow.js, WebGPU', '/peers/tfjs.mjs', slow),
  { name: 'trainlab, native CPU, 1 thread', pace: fast, run: (w) => native(w, 1) },
  { name: 'PyTorch, CPU, 1 thread', pace: fast, run: (w) => torch(w, 1) },
  { name: 'trainlab, native CPU, 2 replicas', pace: fast, run: (w) => native(w, 2) },
  { name: 'PyTorch, CPU, 2 threads', pace: fast, run: (w) => torch(w, 2) },
];

async function prepare() {
  await nodePackages();
  await buildWasm();
  await run('cargo', ['build', '--release', '--quiet']);
  await run('npm', ['ci', '--silent', '--no-audit', '--no-fund'], { cwd: join(root, 'bench/peers') });
  const folder = mkdtempSync(join(tmpdir(), 'trainlab-peers-'));
  const place = (name) => join(folder, name);
  writeFileSync(place('W.json'), JSON.stringify(W));
  writeFileSync(place('W.txt'), text);
  const steps = Math.max(fast.steps + fast.warmup, slow.steps + slow.warmup);
  const set = ['--set', `training.steps=${steps}`, '--device', 'cpu', '--text', place('W.txt')];
  const lines = output(join(root, 'target/release/trainlab'), [
    ...['train', place('W.json'), ...set],
    ...['--out', place('run'), '--export-batches', String(steps)],
  ]);
  const losses = lines
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter((line) => line.learning_rate !== undefined);
  const config = JSON.parse(readFileSync(place('run/config.json'), 'utf8'));
  config.training.steps = W.training.steps;
  await build({
    configFile: false,
    root,
    base: './',
    logLevel: 'warn',
    worker: { format: 'es' },
    build: {
      outDir: place('ours'),
      target: 'es2023',
      rollupOptions: {
        input: join(root, 'bench/peers/ours.mjs'),
        preserveEntrySignatures: 'strict',
        output: { entryFileNames: 'ours.mjs' },
      },
    },
  });
  // What the browser sees: the run, trainlab's modules, the peers and their packages.
  mkdirSync(place('site'));
  for (const [name, target] of [
    ['run', place('run')],
    ['ours', place('ours')],
    ['peers', join(root, 'bench/peers')],
    ['node_modules', join(root, 'bench/peers/node_modules')],
  ])
    symlinkSync(target, place(`site/${name}`));
  writeFileSync(place('site/index.html'), '<!doctype html><title>peers</title>');
  return { folder, config, losses: losses.map(({ loss }) => loss) };
}

async function browser({ folder, config }, options) {
  // Isolated, so that a peer may use threads: most hosts of static pages do not send these.
  const isolation = {
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  };
  const headers = options.isolated === false ? {} : isolation;
  const server = await serve({ folder: join(folder, 'site'), port: 0, headers });
  const chromium_ = await chromium.launch({ executablePath: await chrome(), args: withGpu });
  try {
    const page = await chromium_.newPage();
    page.setDefaultTimeout(0);
    await page.exposeFunction('cpuSeconds', cpuSeconds);
    await page.goto(server.url);
    const task = { ...options, config, text };
    return await page.evaluate(async (task) => (await import('/peers/page.mjs')).run(task), task);
  } finally {
    await chromium_.close();
    await server.close();
  }
}

/** Of this process and all that it started. */
function cpuSeconds() {
  const processes = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      processes.set(Number(pid), {
        parent: Number(fields[1]),
        ticks: Number(fields[11]) + Number(fields[12]),
      });
    } catch {
      // It has ended since.
    }
  const isOurs = (pid) => pid === process.pid || (processes.has(pid) && isOurs(processes.get(pid).parent));
  let ticks = 0;
  for (const [pid, { ticks: its }] of processes) if (isOurs(pid)) ticks += its;
  return ticks / 100;
}

async function native({ folder }, replicas) {
  const { steps, warmup } = fast;
  const args = [
    'bench',
    'step',
    join(folder, 'W.json'),
    '--text',
    join(folder, 'W.txt'),
    '--device',
    'cpu',
    '--json',
  ];
  const pace = ['--steps', String(steps), '--warmup', String(warmup), '--no-profile'];
  const env = { ...process.env, MATMUL_NUM_THREADS: '1' };
  const spread = ['--replicas', String(replicas)];
  return JSON.parse(output(join(root, 'target/release/trainlab'), [...args, ...pace, ...spread], { env }));
}

function torch({ folder }, threads) {
  if (!options.python) throw new Error('not run: name a Python that has torch and safetensors with --python');
  const { steps, warmup } = fast;
  const args = [join(root, 'bench/peers/pytorch.py'), join(folder, 'run')];
  const printed = output(options.python, [
    ...args,
    '--steps',
    String(steps + warmup),
    '--threads',
    String(threads),
  ]);
  if (!printed) throw new Error(`${options.python} failed: see \`${options.python} ${args.join(' ')}\``);
  const { losses, milliseconds, cpu } = JSON.parse(printed);
  const mean = (numbers) => numbers.reduce((a, b) => a + b) / numbers.length;
  return { losses, milliseconds: milliseconds.slice(warmup), cpu: mean(cpu.slice(warmup)) };
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

await main(async () => {
  const work = await prepare();
  const chosen = implementations.filter(({ name }) => name.includes(options.only));
  const results = new Map(chosen.map(({ name }) => [name, { milliseconds: [], cpu: [], difference: 0 }]));
  // In turns, so that what else the machine does falls on all alike.
  for (let round = 0; round < Number(options.rounds); round++)
    for (const { name, run } of chosen) {
      const result = results.get(name);
      if (result.error) continue;
      console.error(`round ${round + 1}: ${name}`);
      try {
        const { losses, milliseconds, cpu } = await run(work);
        result.milliseconds.push(...milliseconds);
        result.cpu.push(cpu);
        for (const [i, loss] of losses.entries())
          result.difference = Math.max(result.difference, Math.abs(loss - work.losses[i]));
      } catch (error) {
        result.error = error.message.split('\n')[0];
      }
    }
  const lines = [
    `Workload W, ${tokens} tokens a step, each step waited for; WebGPU on SwiftShader; ${cpus().length} × ${cpus()[0].model.trim()}, ${new Date().toISOString().slice(0, 10)}; npm run bench:peers -- ${process.argv.slice(2).join(' ')}`,
    '',
    '| | ms a step: median | least | CPU-ms | tokens/s | largest difference of a loss |',
    '|---|---|---|---|---|---|',
  ];
  for (const [name, { milliseconds, cpu, difference, error }] of results) {
    if (error) lines.push(`| ${name} | ${error} | | | | |`);
    else {
      const middle = median(milliseconds);
      const numbers = [middle, Math.min(...milliseconds), median(cpu), (tokens / middle) * 1000].map((x) =>
        Math.round(x),
      );
      lines.push(`| ${name} | ${numbers.join(' | ')} | ${difference.toExponential(1)} |`);
    }
  }
  console.log(lines.join('\n'));
  if (options.save) appendFileSync(options.save, `${lines.join('\n')}\n\n`);
});
