// The page's modules in Node, as Vite reads them. Those that touch the document need a browser: tests/page has them.

import { join } from 'node:path';
import { after } from 'node:test';
import { createServer } from 'vite';
import { root } from '../../scripts/lib.mjs';

const server = await createServer({
  root: join(root, 'www'),
  configFile: join(root, 'vite.config.ts'),
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true },
  logLevel: 'error',
});
after(() => server.close());

/** A module by its path in www/. */
export const load = (path) => server.ssrLoadModule(`/${path}`);
