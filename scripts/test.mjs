// npm test: every check of the project, in stages. `npm test -- NAME …` runs only the stages named.
// What a stage needs is set up first; a stage that fails does not keep the others from running.

import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withGpu } from './browser.mjs';
import { buildPage } from './build.mjs';
import { Advice, bold, dim, green, main, red, root, run, seconds } from './lib.mjs';
import * as setup from './setup.mjs';
import { tokenizerFiles } from './tokenizer-files.mjs';
import { checkTypes } from './types.mjs';

const { nodePackages, rustLints, rust, wasmRust, wasmBindgen, wasmPack, gpuDriver, chrome, chromedriver } =
  setup;

const strict = ['--', '-D', 'warnings'];
const target = ['--no-default-features', '--target', 'wasm32-unknown-unknown'];
const nodeProgram = (path, ...args) => run(process.execPath, [join(root, 'node_modules', path), ...args]);

const stages = {
  rustfmt: { needs: [rustLints], body: () => run('cargo', ['fmt', '--check']) },
  biome: {
    needs: [nodePackages],
    body: () => nodeProgram('@biomejs/biome/bin/biome', 'check', '--error-on-warnings'),
  },
  clippy: { needs: [rustLints], body: () => run('cargo', ['clippy', '--all-targets', ...strict]) },
  'clippy-wasm': {
    needs: [rustLints, wasmRust],
    body: async () => {
      const env = await wasmRust();
      await run('cargo', ['clippy', '--lib', '--tests', ...target, ...strict], { env });
      for (const feature of ['relaxed-simd', 'tokenizers'])
        await run('cargo', ['clippy', '--lib', '--features', feature, ...target, ...strict], { env });
    },
  },
  native: { needs: [rust, gpuDriver, tokenizerFiles], body: () => run('cargo', ['test', '--no-fail-fast']) },
  build: { needs: [nodePackages, wasmRust, wasmBindgen], body: () => built() },
  types: { needs: [nodePackages, wasmRust, wasmBindgen], body: () => checkTypes() },
  tsc: {
    needs: [nodePackages, wasmRust, wasmBindgen],
    body: async () => {
      await built();
      await nodeProgram('typescript/bin/tsc');
    },
  },
  tokenizers: {
    needs: [nodePackages, wasmRust, wasmBindgen, tokenizerFiles],
    body: async () => {
      await built();
      await run(process.execPath, ['--test', '--test-reporter=spec', 'tests/tokenizers/wasm.test.mjs']);
    },
  },
  www: {
    needs: [nodePackages],
    body: () =>
      run(process.execPath, [
        '--test',
        '--test-reporter=spec',
        'tests/www/compare.test.mjs',
        'tests/www/documents.test.mjs',
        'tests/www/sweep.test.mjs',
      ]),
  },
  browser: { needs: [wasmRust, wasmBindgen, wasmPack, chrome, chromedriver], body: browserTests },
  page: { needs: [nodePackages, wasmRust, wasmBindgen, chrome], body: pageTests },
};

let build;
const built = () => (build ??= buildPage());

/** The Rust tests that are marked for it, in Chromium. */
async function browserTests() {
  // wasm-pack takes the browser and its flags from this file, which has to lie here.
  const options = { binary: await chrome(), args: withGpu };
  writeFileSync(
    join(root, 'webdriver.json'),
    `${JSON.stringify({ 'goog:chromeOptions': options }, null, 2)}\n`,
  );
  const env = { ...(await wasmRust()), WASM_BINDGEN_TEST_TIMEOUT: '1800' };
  const driver = ['--chrome', '--chromedriver', await chromedriver(), '--mode', 'no-install'];
  const targets = ['--no-default-features', '--lib', '--test', '*']; // not the command line, not the examples in comments
  await run(await wasmPack(), ['--log-level', 'error', 'test', '--headless', ...driver, '--', ...targets], {
    env,
  });
}

async function pageTests() {
  await built();
  const tests = readdirSync(join(root, 'tests/page')).filter((file) => file.endsWith('.test.mjs'));
  if (tests.length === 0) throw new Advice('no tests/page/*.test.mjs');
  // One at a time: each uses all processors.
  const args = [
    '--test',
    '--test-concurrency=1',
    '--test-reporter=spec',
    ...tests.map((file) => `tests/page/${file}`),
  ];
  await run(process.execPath, args, { env: { CHROME_PATH: await chrome() } });
}

await main(async () => {
  const names = process.argv.slice(2);
  const unknown = names.find((name) => !stages[name]);
  if (unknown)
    throw new Advice(`\`${unknown}\` is not a stage. There are: ${Object.keys(stages).join(', ')}.`);
  const chosen = Object.entries(stages).filter(([name]) => names.length === 0 || names.includes(name));

  console.log(bold('\nsetup'));
  const reported = new Set(); // what is missing may be missing for several needs
  for (const need of new Set(chosen.flatMap(([, stage]) => stage.needs)))
    await need().catch((error) => {
      if (!reported.has(error)) console.log(`  ${red('✗')} ${error.message.replaceAll('\n', '\n    ')}`);
      reported.add(error);
    });

  const results = [];
  for (const [name, stage] of chosen) results.push(await attempt(name, stage));

  console.log(bold('\nsummary'));
  for (const { name, time, error } of results)
    console.log(
      `  ${error ? red('✗') : green('✓')} ${name.padEnd(12)} ${time.padStart(8)}  ${dim(error?.message.split('\n')[0] ?? '')}`,
    );
  const failed = results.filter(({ error }) => error).length;
  console.log(`\n${results.length - failed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
});

async function attempt(name, { needs, body }) {
  console.log(bold(`\n${name}`));
  const started = Date.now();
  let setUp = false;
  try {
    for (const need of needs) await need(); // throws again what setup reported
    setUp = true;
    await body();
    return { name, time: seconds(started) };
  } catch (error) {
    const text = error instanceof Advice ? error.message : error.stack;
    console.log(red(setUp ? text : `not run (see setup): ${text.split('\n')[0]}`));
    return { name, time: seconds(started), error };
  }
}
