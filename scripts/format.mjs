// npm run format: writes the layout that `npm test` asks for.

import { main, root, run } from './lib.mjs';
import { nodePackages, rustLints } from './setup.mjs';

await main(async () => {
  await nodePackages();
  await rustLints();
  await run('cargo', ['fmt']);
  await run(process.execPath, [`${root}/node_modules/@biomejs/biome/bin/biome`, 'check', '--write']);
});
