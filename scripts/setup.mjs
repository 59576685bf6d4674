// Everything the project needs on a machine, each looked for first and set up only where it is missing.
// Building needs nodePackages, rust, wasmRust and wasmBindgen; the rest is for tests.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { aptInstall, makeWasmToolchain, noApt, wasmToolchain } from './debian.mjs';
import { Advice, cache, ensure, output, root, runQuietly, which } from './lib.mjs';

const target = 'wasm32-unknown-unknown';
const tools = join(cache, 'tools');
const read = (file) => readFileSync(join(root, file), 'utf8');

/** The packages of package-lock.json, in node_modules. */
export const nodePackages = () =>
  ensure('node packages', {
    check: nodePackagesFound,
    make: () =>
      process.env.npm_execpath?.endsWith('npm-cli.js')
        ? runQuietly(process.execPath, [process.env.npm_execpath, 'ci'])
        : runQuietly('npm', ['ci']),
    advice: 'Run `npm ci` and see what it says; it needs a package registry that it can reach.',
  });

function nodePackagesFound() {
  if (!existsSync(join(root, 'node_modules/.package-lock.json'))) return;
  const wanted = JSON.parse(read('package-lock.json')).packages;
  const found = JSON.parse(read('node_modules/.package-lock.json')).packages;
  // Optional ones are for other operating systems.
  const fits = ([path, { version, optional }]) => !path || optional || found[path]?.version === version;
  return Object.entries(wanted).every(fits) && `${Object.keys(found).length} packages`;
}

/** A compiler for this machine. */
export async function rust() {
  const least = read('Cargo.toml').match(/^rust-version = "(.*)"/m)[1];
  await ensure('Rust', {
    check: () => {
      const version = output('cargo', ['--version']).match(/\d+\.\d+\.\d+/)?.[0];
      return version && output('rustc', ['--version']) && !olderThan(version, least) && version;
    },
    advice:
      `Install Rust ${least} or newer with rustup (https://rustup.rs), open a new terminal so that \`cargo\` is on the PATH, ` +
      'and try again. If you have an older one: `rustup update stable`.',
  });
  if (process.platform === 'win32') return;
  await ensure('linker', {
    check: () => which('cc'),
    make: () => aptInstall('gcc', 'libc6-dev'),
    advice: 'Install a C compiler: `apt install gcc libc6-dev` (Debian), `xcode-select --install` (macOS).',
  });
}

function olderThan(version, least) {
  const [a, b] = [version, least].map((v) => v.split('.').map(Number));
  return a[0] !== b[0] ? a[0] < b[0] : a[1] < b[1];
}

/** rustfmt and clippy. */
export async function rustLints() {
  await rust();
  await ensure('rustfmt and clippy', {
    check: () => output('cargo', ['fmt', '--version']) && output('cargo', ['clippy', '--version']),
    make: () => runQuietly('rustup', ['component', 'add', 'rustfmt', 'clippy']),
    advice: 'Install them: `rustup component add rustfmt clippy`.',
  });
}

/** A compiler for wasm32, and the environment in which `cargo`, `wasm-pack` and our tools use it. */
export async function wasmRust() {
  await rust();
  await ensure(`Rust for ${target}`, {
    check: () => (rustupHasWasm() ? 'of the compiler above' : wasmToolchain()),
    make: makeWasmRust,
    advice:
      `Run \`rustup target add ${target}\` on a network where rustup can download, and try again. ` +
      'On Debian 12, as root, it is built from Debian packages instead.',
  });
  const debian = rustupHasWasm() ? undefined : wasmToolchain();
  return {
    PATH: [...(debian ? [join(debian, 'bin')] : []), join(tools, 'bin'), process.env.PATH].join(delimiter),
    ...(debian && { SYSROOT: debian }), // for clippy
    // Its own folder: what two compilers build in one folder, they build again and again.
    CARGO_TARGET_DIR: join(root, 'target/wasm'),
  };
}

const rustupHasWasm = () =>
  existsSync(join(output('rustc', ['--print', 'sysroot']), 'lib/rustlib', target, 'lib'));

async function makeWasmRust() {
  try {
    await runQuietly('rustup', ['target', 'add', target], {
      timeout: 180_000,
      env: { RUSTUP_MAX_RETRIES: '0' },
    });
  } catch (error) {
    if (noApt()) throw error;
    console.log('    rustup cannot fetch it; building it from Debian packages (about 4 minutes, once)');
    await makeWasmToolchain();
  }
}

/** The program that writes JavaScript around the wasm module; its version must be the crate's. */
export async function wasmBindgen() {
  await rust();
  const version = read('Cargo.lock').match(/name = "wasm-bindgen"\nversion = "(.*)"/)[1];
  // Not --locked: its lock file has asked for crates that the registry did not serve.
  return cargoTool('wasm-bindgen', 'wasm-bindgen-cli', version, []);
}

/** Runs the Rust tests in a browser. */
export async function wasmPack() {
  await rust();
  return cargoTool('wasm-pack', 'wasm-pack', '0.15.1', ['--locked', '--debug']); // it only starts others
}

function cargoTool(name, crate, version, options) {
  const program = join(tools, 'bin', name);
  const args = ['install', crate, '--version', version, '--root', tools, ...options];
  return ensure(`${name} ${version}`, {
    check: () => output(program, ['--version']).endsWith(` ${version}`) && program,
    make: () => runQuietly('cargo', args),
    advice: `It is built with \`cargo ${args.join(' ')}\` (about 3 minutes, once): run that and see what it says.`,
  });
}

/** Chromium or Chrome: CHROME_PATH, or the first that is found. */
export const chrome = () =>
  ensure('Chromium', {
    check: () => findProgram('CHROME_PATH', ['chromium', 'chromium-browser', 'google-chrome', ...macChrome]),
    make: () => aptInstall('chromium'),
    advice:
      'Install Chromium or Chrome (Debian: `apt install chromium chromium-driver`), ' +
      'or set CHROME_PATH to the program.',
  });

/** Its remote control, of the same version: CHROMEDRIVER, or the first that is found. */
export const chromedriver = () =>
  ensure('chromedriver', {
    check: () => findProgram('CHROMEDRIVER', ['chromedriver', '/usr/lib/chromium-browser/chromedriver']),
    make: () => aptInstall('chromium-driver'),
    advice:
      "Install the chromedriver of your browser's version (Debian: `apt install chromium-driver`), " +
      'or set CHROMEDRIVER to the program.',
  });

const macChrome = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];

function findProgram(variable, names) {
  const chosen = process.env[variable];
  if (!chosen) return names.map(which).find(Boolean);
  if (!which(chosen))
    throw new Advice(`${variable} is \`${chosen}\`, which is no program. Correct it, or unset it.`);
  return which(chosen);
}

/** A driver through which native tests reach a GPU, or a software one. Other systems bring theirs. */
export const gpuDriver = () =>
  ensure('GPU driver', {
    check: () => (process.platform === 'linux' ? findVulkan() : `of ${process.platform}`),
    make: () => aptInstall('mesa-vulkan-drivers', 'libvulkan1'),
    advice: 'Install a Vulkan driver and loader (Debian: `apt install mesa-vulkan-drivers libvulkan1`).',
  });

function findVulkan() {
  const { VK_DRIVER_FILES, VK_ICD_FILENAMES } = process.env;
  if (VK_DRIVER_FILES || VK_ICD_FILENAMES) return VK_DRIVER_FILES || VK_ICD_FILENAMES;
  const loader = output('/sbin/ldconfig', ['-p']).includes('libvulkan.so.1');
  const folders = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d'].filter(existsSync);
  const drivers = folders.flatMap((folder) => readdirSync(folder));
  return loader && drivers.length > 0 && `Vulkan, ${drivers.length} drivers`;
}
