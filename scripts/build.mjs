// Builds the page: Rust to wasm to www/pkg, then everything to dist/. As a program: sets up what is missing first.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { makeCorpora } from './corpus.mjs';
import { dim, main, output, root, run } from './lib.mjs';
import { nodePackages, wasmBindgen, wasmRust } from './setup.mjs';

const target = 'wasm32-unknown-unknown';
const pkg = join(root, 'www/pkg');

/** The wasm module and its JavaScript, in www/pkg. Does nothing where the module has not changed. */
export async function buildWasm() {
  const [env, wasmBindgenProgram] = [await wasmRust(), await wasmBindgen()];
  await run('cargo', ['build', '--profile', 'page', '--lib', '--no-default-features', '--target', target], {
    env,
  });

  const compiled = join(env.CARGO_TARGET_DIR, target, 'page/trainlab.wasm');
  const stamp = createHash('sha256')
    .update(readFileSync(compiled))
    .update(output(wasmBindgenProgram, ['--version']))
    .update(readFileSync(import.meta.filename))
    .digest('hex');
  const stampFile = join(pkg, '.built-from');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;

  await run(wasmBindgenProgram, [
    compiled,
    '--target',
    'web',
    '--out-dir',
    pkg,
    '--remove-producers-section',
  ]);
  const wasm = join(pkg, 'trainlab_bg.wasm');
  await optimise(wasm);
  writeFileSync(stampFile, stamp);
  const bytes = readFileSync(wasm);
  console.log(dim(`www/pkg/trainlab_bg.wasm: ${kb(bytes)}, compressed ${kb(gzipSync(bytes))}`));
}

const kb = (bytes) => `${Math.round(bytes.length / 1024)} KB`;

/** The features that rustc uses have to be named: wasm-opt assumes the oldest browsers. */
async function optimise(wasm) {
  const features = ['simd', 'bulk-memory', 'nontrapping-float-to-int', 'sign-ext', 'mutable-globals'];
  features.push('reference-types', 'multivalue');
  const program = join(root, 'node_modules/binaryen/bin/wasm-opt');
  const enabled = features.map((feature) => `--enable-${feature}`);
  await run(process.execPath, [program, wasm, '-o', wasm, '-O3', ...enabled]);
}

/** All that Vite takes up: the wasm module, and the texts that come from packages. */
export async function prepare() {
  await nodePackages();
  makeCorpora();
  await buildWasm();
}

/** The whole page, in dist/. */
export async function buildPage() {
  await prepare();
  const { build } = await import('vite');
  await build({ root: join(root, 'www'), configFile: join(root, 'vite.config.ts'), logLevel: 'warn' });
}

if (process.argv[1] === import.meta.filename)
  await main(async () => {
    await buildPage();
    console.log('The page is in dist/: put that folder on any web host.');
  });
