// The wasm module of subword tokenizers, held against the same files as the native one: it learns the very same
// tokenizers, and encodes as the reference libraries do.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadCore, tokenizers as module } from '../../scripts/build.mjs';
import { root } from '../../scripts/lib.mjs';

const read = (name) => readFileSync(join(root, 'tests/tokenizers', name));
const parse = (name) => JSON.parse(read(name).toString());

const { core } = await loadCore();
const tokenizers = await import(join(module.folder, 'trainlab.js'));
await tokenizers.default({ module_or_path: readFileSync(join(module.folder, 'trainlab_bg.wasm')) });
const texts = parse('texts.json');
const golden = parse('golden.json');

/** What the learned files are learned from, as in tests/tokenizers.rs. */
function lesson() {
  const config = core.default_config();
  config.data.text_bytes = 200_000;
  const names = Object.keys(texts).sort();
  return (
    core.corpus_text(config) +
    names
      .map((name) => texts[name])
      .join('\n')
      .repeat(4)
  );
}

function agree(name, subword) {
  for (const [of, text] of Object.entries(texts)) {
    assert.deepEqual([...subword.encode(text)], golden[name][of], `${name}, ${of}`);
    const [tokens, covered] = subword.encode_covering(text);
    assert.equal(covered.length, tokens.length);
    const bytes = covered.reduce((sum, n) => sum + n, 0);
    assert.equal(bytes, tokens.length ? Buffer.byteLength(text) : 0, `${name}, ${of}`);
  }
}

for (const kind of ['bpe', 'sentencepiece_bpe', 'unigram', 'wordpiece'])
  test(`${kind} is learned as natively`, () => {
    const shares = [];
    const learned = tokenizers.train(kind, 600, lesson(), (share) => shares.push(share));
    assert.ok(learned.json() === read(`learned/${kind}.json`).toString(), 'the files differ');
    assert.ok(
      shares.length > 2 && shares.at(-1) === 1 && shares.every((share, i) => !i || share >= shares[i - 1]),
    );
    agree(kind, learned);
    const loaded = tokenizers.load(Buffer.from(learned.json()));
    assert.equal(loaded.name(), learned.name());
    agree(kind, loaded);
  });

for (const name of ['neox.json', 'mistral.model', 'toy.model'])
  test(`${name} encodes as its reference does`, () => {
    agree(name.split('.')[0], tokenizers.load(read(`files/${name}`)));
  });

test('GPT-2 encodes as its reference does', () => {
  const merges = read('files/gpt2-vocab.bpe').toString().split('\n').filter(Boolean);
  const step = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true };
  const model = { type: 'BPE', vocab: parse('files/gpt2-encoder.json'), merges };
  const file = { version: '1.0', pre_tokenizer: step, decoder: step, model };
  agree('gpt2', tokenizers.load(Buffer.from(JSON.stringify(file))));
});

test('parts are cut and handed over as the lab expects them', () => {
  const text = lesson();
  for (const [kind, complete] of [
    ['bpe', true],
    ['wordpiece', false],
  ]) {
    const subword = tokenizers.train(kind, 400, text, () => {});
    assert.equal(subword.byte_complete(), complete);
    const { train, held_out, covered, of } = subword.encode_parts(text, 0.1, () => {});
    assert.equal(of.train_bytes + of.held_out_bytes, Buffer.byteLength(text));
    assert.deepEqual([of.kind, of.vocabulary, of.size], [kind, 400, subword.vocabulary_size()]);
    assert.equal(covered === undefined, complete);
    const lengths = subword.token_lengths();
    const bytes = [...held_out].map((id, i) => (covered ? covered[i] : lengths[id]));
    assert.equal(
      bytes.reduce((sum, n) => sum + n, 0),
      of.held_out_bytes,
    );
    assert.ok(train.length > held_out.length);
    assert.equal(
      lengths.reduce((sum, n) => sum + n, 0),
      subword.token_bytes().length,
    );
  }
});

test('what cannot be used is refused with its problems', () => {
  for (const make of [
    () => tokenizers.load(Buffer.from('{"version": "2.0"}')),
    () => tokenizers.load(Buffer.from([10, 200, 1])),
    () => tokenizers.train('bpe', 3, 'text', () => {}),
    () => tokenizers.train('bytes', 300, 'text', () => {}),
    () => tokenizers.train('none', 300, 'text', () => {}),
  ])
    assert.throws(
      make,
      (error) => error.problems?.length === 1 && /^tokenizer\./.test(error.problems[0].field),
    );
});
