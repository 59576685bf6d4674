// A static web server, on this machine only. The page needs no special headers, and is served without any.

import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const types = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
};

/**
 * Serves `folder` at http://localhost:PORT{base}; PORT is the first free one from `port` on (0: any). `headers` go
 * with every answer; `seen` is told each address that is asked for.
 */
export async function serve({ folder, base = '/', port, headers = {}, seen = () => {} }) {
  const server = createServer((request, response) => {
    seen(request.url);
    const file = findFile(folder, base, request.url);
    if (!file) return response.writeHead(404, { 'content-type': 'text/plain' }).end('not found');
    const type = types[extname(file)] ?? 'application/octet-stream';
    response.writeHead(200, { ...headers, 'content-type': type, 'cache-control': 'no-cache' });
    createReadStream(file).pipe(response);
  });
  const url = `http://localhost:${await listen(server, port)}${base}`;
  const close = () => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  };
  return { url, close };
}

function findFile(folder, base, url) {
  let path;
  try {
    path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
  } catch {
    return;
  }
  if (!path.startsWith(base)) return;
  const inside = normalize(`/${path.slice(base.length)}`); // resolves .. before it can lead out of the folder
  const file = join(folder, inside.endsWith('/') ? `${inside}index.html` : inside);
  return statSync(file, { throwIfNoEntry: false })?.isFile() ? file : undefined;
}

async function listen(server, port) {
  for (let tried = port; ; tried++) {
    const error = await new Promise((done) => {
      server.once('error', done);
      server.listen(tried, '127.0.0.1', () => done());
    });
    server.removeAllListeners('error');
    if (!error) return server.address().port;
    if (error.code !== 'EADDRINUSE' || tried > port + 100) throw error;
  }
}
