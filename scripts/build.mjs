// Builds the page: Rust to wasm to www/pkg and www/pkg-tokenizers, then everything to dist/. As a program: sets up what
// is missing first.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { makeCorpora } from './corpus.mjs';
import { dim, main, output, root, run } from './lib.mjs';
import { nodePackages, wasmBindgen, wasmRust } from './setup.mjs';

const target = 'wasm32-unknown-unknown';

/**
 * The core is built twice: for every browser with WebGPU, which all have SIMD, and for those with relaxed SIMD, whose
 * fused multiply-add makes matrix products half as fast again. The page loads one of them.
 */
export const variants = {
  simd: { folder: join(root, 'www/pkg/simd') },
  relaxed: { folder: join(root, 'www/pkg/relaxed'), features: 'relaxed-simd' },
};

/** Subword tokenizers: the same package with their feature, loaded by the page when one is first asked for. */
export const tokenizers = { folder: join(root, 'www/pkg-tokenizers'), features: 'tokenizers' };

/** Both wasm modules of the lab and their JavaScript, in www/pkg. */
export async function buildWasm() {
  for (const variant of Object.values(variants)) await buildModule(variant);
}

/** Does nothing where all that the module is made from is as it was: cargo would link anew whenever features differ. */
async function buildModule({ folder, features = '' }) {
  const [env, wasmBindgenProgram] = [await wasmRust(), await wasmBindgen()];
  const tools = [
    output('rustc', ['-vV'], { env: { ...process.env, ...env } }),
    output(wasmBindgenProgram, ['-V']),
  ];
  const stamp = sources(createHash('sha256').update(tools.join('\n'))).digest('hex');
  const stampFile = join(folder, '.built-from');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;

  const chosen = ['--no-default-features', '--features', features];
  await run('cargo', ['build', '--profile', 'page', '--lib', ...chosen, '--target', target], { env });
  const compiled = join(env.CARGO_TARGET_DIR, target, 'page/trainlab.wasm');
  mkdirSync(folder, { recursive: true });
  await run(wasmBindgenProgram, [
    compiled,
    '--target',
    'web',
    '--out-dir',
    folder,
    '--remove-producers-section',
  ]);
  const wasm = join(folder, 'trainlab_bg.wasm');
  await optimise(wasm);
  writeFileSync(stampFile, stamp);
  const bytes = readFileSync(wasm);
  console.log(dim(`${relative(root, wasm)}: ${kb(bytes)}, compressed ${kb(gzipSync(bytes))}`));
}

/** Adds the files that a module is made from. */
function sources(hash) {
  const folders = ['crate', 'shaders'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  const single = ['Cargo.toml', 'Cargo.lock', '.cargo/config.toml', 'package-lock.json', 'scripts/build.mjs'];
  for (const file of [...folders.sort(), ...single.map((name) => join(root, name))])
    hash.update(relative(root, file)).update(readFileSync(file));
  return hash;
}

/** The core in Node, the fastest variant that it takes. */
export async function loadCore() {
  await buildWasm();
  const wasm = ({ folder }) => readFileSync(join(folder, 'trainlab_bg.wasm'));
  const name = WebAssembly.validate(wasm(variants.relaxed)) ? 'relaxed' : 'simd';
  const core = await import(join(variants[name].folder, 'trainlab.js'));
  await core.default({ module_or_path: wasm(variants[name]) });
  return { core, name };
}

const kb = (bytes) => `${Math.round(bytes.length / 1024)} KB`;

/** The features that rustc uses have to be named: wasm-opt assumes the oldest browsers. */
async function optimise(wasm) {
  const features = ['simd', 'relaxed-simd', 'bulk-memory', 'nontrapping-float-to-int', 'sign-ext'];
  features.push('mutable-globals', 'reference-types', 'multivalue');
  const program = join(root, 'node_modules/binaryen/bin/wasm-opt');
  const enabled = features.map((feature) => `--enable-${feature}`);
  // In a function that has swallowed others, browsers find registers for hot loops with less care.
  const apart = ['--one-caller-inline-max-function-size', '0'];
  await run(process.execPath, [program, wasm, '-o', wasm, '-O3', ...apart, ...enabled]);
}

/** All that Vite takes up: the wasm modules, and the texts that come from packages. */
export async function prepare() {
  await nodePackages();
  makeCorpora();
  await buildWasm();
  await buildModule(tokenizers);
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
