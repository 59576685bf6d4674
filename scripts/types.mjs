// The page's TypeScript types of a config, generated from the core's schema into www/generated/config.ts.
//
//   npm run types            writes the file
//   npm test -- types        fails where it has drifted from crate/config

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadCore } from './build.mjs';
import { Advice, main, root } from './lib.mjs';
import { nodePackages } from './setup.mjs';

const file = join(root, 'www/generated/config.ts');

async function generate() {
  await nodePackages();
  const { core } = await loadCore();
  const { compile } = await import('json-schema-to-typescript');
  const bannerComment = '// Generated from crate/config by `npm run types`; do not edit.';
  return compile(core.schema(), 'Config', { bannerComment, additionalProperties: false });
}

/** Fails where the committed types are not those of the schema. */
export async function checkTypes() {
  if (!existsSync(file) || readFileSync(file, 'utf8') !== (await generate()))
    throw new Advice(
      'www/generated/config.ts is not what crate/config says: run `npm run types` and commit it.',
    );
}

if (process.argv[1] === import.meta.filename) await main(async () => writeFileSync(file, await generate()));
