// Helpers shared by the scripts: running programs, showing progress, and failing with advice.
// Node built-ins only: these run before any package is installed.

import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Tools built once for all clones of this project on this machine. */
export const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'trainlab');

const tty = process.stdout.isTTY;
const paint = (code) => (text) => (tty && !process.env.NO_COLOR ? `\x1b[${code}m${text}\x1b[0m` : text);
export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);

/** A failure whose message is written for the person at the keyboard: shown without a stack. */
export class Advice extends Error {}

export const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

/** The path of a program, or undefined. An absolute name is looked up as it is. */
export function which(name) {
  const folders = name.includes('/') ? [''] : (process.env.PATH ?? '').split(delimiter);
  const suffixes = process.platform === 'win32' ? ['.exe', '.cmd', ''] : [''];
  for (const folder of folders)
    for (const suffix of suffixes) {
      const path = join(folder, name + suffix);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {}
    }
}

/** What a program prints, trimmed; '' if it is missing or fails. */
export function output(program, args, options = {}) {
  const done = spawnSync(program, args, { cwd: root, encoding: 'utf8', ...options });
  return done.status === 0 ? done.stdout.trim() : '';
}

/** Runs a program with its output on the terminal; throws when it fails. */
export async function run(program, args, { env = {}, cwd = root } = {}) {
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: 'inherit' });
  const { code, error } = await exit(child);
  if (error || code !== 0)
    throw new Advice(`${commandLine(program, args)}: ${error?.message ?? `exit code ${code}`}`);
}

/**
 * Runs a program that talks a lot. Its latest line is shown (on a terminal in place, in a log every 20 seconds);
 * only if it fails are its last lines printed.
 */
export async function runQuietly(program, args, { env = {}, cwd = root, timeout } = {}) {
  const child = spawn(program, args, {
    cwd,
    timeout,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const started = Date.now();
  let text = '';
  const show = () => {
    const line = text
      .trimEnd()
      .split(/[\r\n]/)
      .at(-1)
      .trim();
    const shown = `    ${seconds(started)}  ${line}`;
    process.stdout.write(
      tty ? `\r\x1b[K${dim(shown.slice(0, (process.stdout.columns || 80) - 1))}` : `${shown}\n`,
    );
  };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += data));
  const timer = setInterval(show, tty ? 200 : 20_000);
  const { code, error } = await exit(child);
  clearInterval(timer);
  if (tty) process.stdout.write('\r\x1b[K');
  if (error || code !== 0) {
    const tail = text.trimEnd().split('\n').slice(-25).join('\n');
    throw new Advice(
      `${commandLine(program, args)}: ${error?.message ?? `exit code ${code ?? 'none: stopped'}`}\n${tail}`,
    );
  }
}

const exit = (child) =>
  new Promise((done) => {
    child.on('error', (error) => done({ error }));
    child.on('close', (code) => done({ code }));
  });

const commandLine = (program, args) => [program, ...args].join(' ');

const known = new Map();

/**
 * One thing that has to be there. `check` returns what was found, or nothing; then `make` is to provide it, and
 * `check` decides again. `advice` is what to do by hand. Each thing is looked at once in a run.
 */
export function ensure(name, { check, make, advice }) {
  if (!known.has(name)) known.set(name, provide(name, check, make, advice));
  return known.get(name);
}

async function provide(name, check, make, advice) {
  let found = await check();
  if (!found && make) {
    console.log(`  ${bold(name)}: missing, setting it up`);
    try {
      await make();
    } catch (error) {
      throw new Advice(`${name} could not be set up.\n${error.message}\n${advice}`);
    }
    found = await check();
  }
  if (!found) throw new Advice(`${name} is missing.\n${advice}`);
  console.log(`  ${green('✓')} ${name} ${dim(String(found))}`);
  return found;
}

/** Runs a script's main function; advice is printed plainly, anything else with its stack. */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    console.error(`\n${red('✗')} ${error instanceof Advice ? error.message : error.stack}`);
    process.exitCode = 1;
  }
}
