// What the section about documents says of lengths that are known, and when the worker answers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const figures = await load('length/documents/figures.ts');
const { measureLengths } = await load('length/documents/worker.ts');

const buckets = [
  { from: 32, to: 63, documents: 200, tokens: 9000 },
  { from: 64, to: 127, documents: 0, tokens: 0 },
  { from: 128, to: 255, documents: 2, tokens: 400 },
];
const lengths = {
  documents: 202,
  tokens: 9400,
  context: 128,
  buckets,
  longest: [{ name: 'Novel', tokens: 200 }],
  expected: [
    { packing: 'chunk', epochs: [2, 2, 2], whole: 2, filled: 1 },
    { packing: 'balanced', epochs: [1, 0, 24], whole: 2, filled: 0.6 },
  ],
};
const measured = (packing) => ({ config: { data: { packing } }, lengths });
const usage = (tokens) => ({
  tokens,
  whole: 1,
  often: 2,
  warning: null,
  buckets: buckets.map((bucket) => ({ ...bucket, read: 2 * bucket.tokens, epochs: 2, most: 3 })),
});

test('lengths that would be worn out are named where the text as a whole is not', () => {
  const balanced = measured('balanced');
  const expected = figures.chosen(balanced);
  assert.equal(expected.packing, 'balanced');
  assert.deepEqual(figures.worn(balanced, expected), { bucket: buckets[2], epochs: 24 });
  assert.equal(figures.worn(balanced, { ...expected, whole: 5 }), null, 'then the lengths are not to blame');
  const windows = measured('chunk');
  assert.equal(figures.worn(windows, figures.chosen(windows)), null);
  assert.deepEqual(buckets.map(figures.span), ['32–63', '64–127', '128–255']);
  assert.equal(figures.span({ from: 1, to: 1 }), '1');
});

test('what a run has read stands beside its own text only', () => {
  const own = usage(1);
  assert.equal(figures.readOf(own, buckets), own);
  assert.equal(figures.readOf(null, buckets), null);
  assert.equal(figures.readOf(own, buckets.slice(1)), null);
  const other = buckets.map((bucket) => ({ ...bucket, tokens: bucket.tokens + 1 }));
  assert.equal(figures.readOf(own, other), null);
});

test('the table has a row for each length and a column for each packing', () => {
  const rows = (read) =>
    figures
      .toCsv(measured('chunk'), read)
      .trim()
      .split('\n')
      .map((line) => line.split(','));
  const [head, ...all] = rows(usage(1));
  assert.ok(all.length === 3 && all.every((row) => row.length === head.length));
  const at = (row, name) => row[head.indexOf(name)];
  assert.equal(at(all[2], 'expected_epochs_balanced'), '24');
  assert.equal(at(all[0], 'read_tokens'), '18000');
  assert.equal(Number(at(all[0], 'share_of_tokens')), 9000 / 9400);
  assert.equal(at(rows(null)[1], 'read_epochs'), '', 'nothing has been read');
});

test('the worker answers once the text is there in tokens', () => {
  const ask = ({ text = { text: 'a text' }, tokens = null, kind = 'bytes', lab = true, fails = false }) => {
    const posted = [];
    const given = [];
    const answer = () => {
      if (fails) throw new Error('refused');
      return lengths;
    };
    measureLengths(
      { type: 'documents', id: 7, config: { tokenizer: { kind } } },
      lab ? { document_lengths: answer } : null,
      { at: () => text },
      { at: () => tokens, give: (_, tokens) => given.push(tokens) },
      (event) => posted.push(event),
    );
    return { posted, given };
  };
  assert.deepEqual(ask({}).posted, [
    { type: 'documents', id: 7, config: { tokenizer: { kind: 'bytes' } }, lengths },
  ]);
  const tokens = { json: '{}' };
  const { posted, given } = ask({ kind: 'bpe', tokens });
  assert.equal(posted.length, 1);
  assert.deepEqual(given, [tokens], 'the core has them first');
  for (const lacking of [{ lab: false }, { text: null }, { kind: 'bpe' }, { fails: true }])
    assert.deepEqual(ask(lacking).posted, [], JSON.stringify(lacking));
});
