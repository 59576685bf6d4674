// What Debian's packages can provide: programs through apt-get, and a Rust for wasm32 where rustup's server
// cannot be reached.

import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Advice, cache, output, runQuietly, which } from './lib.mjs';

/** Why Debian packages cannot be installed from here, or ''. */
export function noApt() {
  if (!which('apt-get')) return 'there is no apt-get';
  return process.getuid() === 0 ? '' : 'you are not root, which apt-get needs';
}

let updated;

export async function aptInstall(...packages) {
  const obstacle = noApt();
  if (obstacle) throw new Advice(`It can be installed for you only with apt-get; ${obstacle}.`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  updated ??= runQuietly('apt-get', ['update'], { env });
  await updated;
  // --no-remove: never take away a Rust that somebody chose.
  await runQuietly('apt-get', ['install', '-y', '--no-install-recommends', '--no-remove', ...packages], {
    env,
  });
}

/**
 * The folder of a Rust toolchain made of Debian's compiler and a standard library for wasm32 that we built, or
 * undefined where it has not been made yet. The library fits only the very compiler that built it: hence its
 * version in the folder's name.
 */
export function wasmToolchain() {
  const folder = toolchainFolder();
  return folder && existsSync(folder) ? folder : undefined;
}

function toolchainFolder() {
  const version = output('dpkg-query', ['-W', 'rustc-web']).split('\t')[1];
  return version && join(cache, `rust-debian-${version.replace(/[^\w.]/g, '-')}`);
}

/** Debian ships no standard library for wasm32, but a recent compiler and the sources: build it, once. */
export async function makeWasmToolchain() {
  await aptInstall('rustc-web', 'cargo-web', 'rust-web-src', 'rust-web-llvm', 'rust-web-clippy');
  // The linker has to be of the compiler's LLVM version.
  const llvm = output('/usr/bin/rustc', ['-vV']).match(/LLVM version: (\d+)/)[1];
  await aptInstall(`lld-${llvm}`);

  const folder = toolchainFolder();
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  await buildStd(join(part, 'build'), join(part, 'lib/rustlib/wasm32-unknown-unknown/lib'));

  // Everything else is Debian's own; the compiler is told where its libraries are now.
  const host = 'x86_64-unknown-linux-gnu';
  symlinkSync(`/usr/lib/rustlib/${host}`, join(part, 'lib/rustlib', host));
  mkdirSync(join(part, 'bin'));
  for (const name of ['cargo', 'cargo-clippy']) symlinkSync(`/usr/bin/${name}`, join(part, 'bin', name));
  const rustc = join(part, 'bin/rustc');
  writeFileSync(rustc, `#!/bin/sh\nexec /usr/bin/rustc --sysroot '${folder}' "$@"\n`);
  chmodSync(rustc, 0o755);
  renameSync(part, folder);
}

/** Builds the standard library as the dependency of an empty crate in `build`, and moves it to `to`. */
async function buildStd(build, to) {
  mkdirSync(join(build, 'src'), { recursive: true });
  writeFileSync(join(build, 'Cargo.toml'), '[package]\nname = "empty_crate"\nedition = "2024"\n');
  writeFileSync(join(build, 'src/lib.rs'), '#![no_std]\n');
  const args = [
    'build',
    '--release',
    '--target',
    'wasm32-unknown-unknown',
    '-Zbuild-std=std,panic_abort,test',
  ];
  await runQuietly('/usr/bin/cargo', args, {
    cwd: build,
    env: {
      RUSTC: '/usr/bin/rustc',
      RUSTC_BOOTSTRAP: '1', // allows -Z
      RUSTFLAGS: '-Cembed-bitcode=yes', // without it no later link-time optimisation
      CARGO_TARGET_DIR: join(build, 'target'),
    },
  });
  mkdirSync(to, { recursive: true });
  const made = join(build, 'target/wasm32-unknown-unknown/release/deps');
  for (const file of readdirSync(made))
    if (file.endsWith('.rlib') && !file.startsWith('libempty_crate'))
      copyFileSync(join(made, file), join(to, file));
  rmSync(build, { recursive: true });
}
