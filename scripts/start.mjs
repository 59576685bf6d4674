// npm start: the page, built and served on this machine. With --dev: through Vite, which reloads it on each change
// in www/ (the wasm module is built once, at the start). --no-open leaves the browser alone.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildPage, prepare } from './build.mjs';
import { bold, main, root, which } from './lib.mjs';
import { serve } from './serve.mjs';

const port = 5173;

await main(async () => {
  const url = process.argv.includes('--dev') ? await develop() : await start();
  console.log(`\n  The lab is at ${bold(url)}   (Ctrl-C stops it)\n`);
  if (!process.argv.includes('--no-open')) openBrowser(url);
});

async function start() {
  await buildPage();
  const { url } = await serve({ folder: join(root, 'dist'), port });
  return url;
}

async function develop() {
  await prepare();
  const { createServer } = await import('vite');
  const configFile = join(root, 'vite.config.ts');
  const server = await createServer({
    configFile,
    root: join(root, 'www'),
    server: { host: '127.0.0.1', port },
  });
  await server.listen();
  return `http://localhost:${server.config.server.port}/`;
}

/** Only where there is a desktop. */
function openBrowser(url) {
  const desktop = process.platform !== 'linux' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
  const program = { darwin: 'open', linux: 'xdg-open', win32: 'explorer' }[process.platform];
  if (desktop && !process.env.CI && program && which(program)) {
    const child = spawn(program, [url], { stdio: 'ignore', detached: true });
    child.on('error', () => {}); // the address is on the screen
    child.unref();
  }
}
