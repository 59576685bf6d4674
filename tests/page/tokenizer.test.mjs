// Tokenizers that are trained, chosen as files, and kept with runs.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { hashOf, number, phase, planned, reaches, savedCsv, small, stepPast, visit } from './reading.mjs';
import { comeBack, keptStep, long, trainPast } from './runs.mjs';

const bpe = { 'tokenizer.kind': 'bpe', 'tokenizer.vocabulary': 300 };

/** Waits for a plan with a vocabulary of this size. */
const vocabulary = (page, size) =>
  page.locator(`[data-testid=plan-vocabulary][data-value="${size}"]`).waitFor({ state: 'attached' });

const openPanel = (page) => page.getByTestId('tokenizer-panel').locator('> summary').click();

/** The text that the panel shows in pieces, and these. */
async function pieces(page) {
  const all = await page.getByTestId('split').locator('.piece').allTextContents();
  return { all, text: all.join('') };
}

/** A byte-level tokenizer without merges: of each byte a sign, and nothing more. */
function byteSigns() {
  const plain = [
    [33, 126],
    [161, 172],
    [174, 255],
  ];
  const isPlain = (byte) => plain.some(([from, to]) => from <= byte && byte <= to);
  let next = 256;
  const signs = Array.from({ length: 256 }, (_, byte) => {
    if (isPlain(byte)) return String.fromCodePoint(byte);
    next += 1;
    return String.fromCodePoint(next - 1);
  });
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(signs.map((sign, id) => [sign, id])),
      merges: [],
    },
  });
}

const json = (name, text) => ({ name, mimeType: 'application/json', buffer: Buffer.from(text) });

test('a tokenizer is trained when it is chosen, and its module comes only then', () =>
  visit({ gpu: false, hash: hashOf(small) }, async (page, errors, requests) => {
    const modules = () => requests.filter((url) => url.includes('.wasm')).length;
    await planned(page);
    assert.equal(modules(), 1, 'the first load has one module');
    const characters = await number(page, 'plan-train-tokens');
    const parameters = await number(page, 'plan-parameters');

    await page.getByTestId('field-tokenizer.kind').selectOption('bpe');
    await page.getByTestId('field-tokenizer.vocabulary').fill('300');
    await vocabulary(page, 300);
    assert.equal(modules() > 1, true);
    const tokens = await number(page, 'plan-train-tokens');
    assert.ok(tokens < 0.75 * characters, `${tokens} tokens of ${characters} characters`);
    assert.ok((await number(page, 'plan-parameters')) > parameters);

    // What is there already comes back at once, without another module.
    const before = modules();
    await page.getByTestId('field-tokenizer.kind').selectOption('characters');
    await page.waitForFunction(
      (count) => Number(document.querySelector('[data-testid=plan-train-tokens]')?.dataset.value) === count,
      characters,
    );
    await page.getByTestId('field-tokenizer.kind').selectOption('bpe');
    await vocabulary(page, 300);
    assert.equal(modules(), before);

    await page.getByTestId('train').click();
    await reaches(page, 'finished', 120_000);
    const rows = await savedCsv(page);
    const unigram = await number(page, 'plan-unigram-loss');
    assert.ok(rows.findLast(({ series }) => series === 'train').loss < unigram);
    const [last] = await page.getByTestId('sample').locator('.prose').allTextContents();
    assert.match(last, /^One day./);
    assert.doesNotMatch(last, /[\u0120\u010a]/, 'decoded, not in the signs of bytes');

    // Another prompt is encoded on its own: what follows has other probabilities.
    await page.getByTestId('ask-temperature').fill('0');
    const following = async (prompt) => {
      await page.getByTestId('ask-prompt').fill(prompt);
      await page.getByTestId('ask').click();
      const sample = page
        .getByTestId('sample')
        .filter({ hasText: /temperature 0(?!\.)/ })
        .first();
      await sample.locator('.prompt', { hasText: prompt }).waitFor();
      await page.locator('[data-testid=ask]:has-text("Sample now")').waitFor();
      // The one before may still be shown.
      await page.keyboard.press('Escape');
      await sample.locator('.continuation .piece').first().click();
      return page.getByTestId('beside').textContent();
    };
    const usual = await following('One day');
    assert.match(usual, /^\s*wrote/);
    assert.notEqual(await following('"'), usual);
    assert.equal(await following('One day'), usual);
    assert.deepEqual(errors, []);
  }));

test('Train makes the tokenizer ready first, and Stop ends both', () =>
  visit({ gpu: false, hash: hashOf({ ...small, 'data.text_bytes': 9_000_000 }) }, async (page) => {
    await planned(page);
    await page.getByTestId('field-tokenizer.kind').selectOption('unigram');
    // So long a text waits to be asked for.
    const begin = page.getByTestId('plan-readiness-begin');
    await begin.waitFor();
    assert.match(await page.getByTestId('no-plan').textContent(), /8\.\d MiB/);

    await page.getByTestId('train').click();
    await page.getByTestId('plan-readiness-stop').waitFor();
    assert.equal(await phase(page), 'starting');
    assert.match(await page.getByTestId('status').textContent(), /tokenizer/);
    await page.getByTestId('stop').click();
    await reaches(page, 'idle');
    await begin.waitFor();
    assert.match(await page.getByTestId('no-plan').textContent(), /stopped/);
    assert.equal(await page.getByTestId('refused').count(), 0);

    await begin.click();
    await page.getByTestId('plan-readiness-stop').click();
    await begin.waitFor();
    // All else goes on as if nothing had been.
    await page.getByTestId('field-tokenizer.kind').selectOption('bytes');
    await vocabulary(page, 256);
    assert.equal(await begin.count(), 0);
  }));

test('files are taken or refused; a run brings its own, also after a reload', () =>
  visit({ gpu: false, hash: hashOf({ ...long, 'tokenizer.kind': 'file' }) }, async (page) => {
    const [choose, state, refusal] = ['tokenizer-file', 'tokenizer-state', 'tokenizer-refusal'].map((id) =>
      page.getByTestId(id),
    );
    await state.waitFor();
    await page.getByTestId('no-plan').filter({ hasText: 'Choose or drop its file' }).waitFor();
    await page.getByTestId('train').click();
    assert.match(await page.getByTestId('refused').textContent(), /no tokenizer yet/);

    const good = byteSigns();
    await choose.setInputFiles(json('signs.json', good));
    await vocabulary(page, 256);
    assert.match(await state.textContent(), /In use: signs\.json.*256 tokens/);

    const hostile = [
      ['empty.json', ''],
      ['deep.json', '['.repeat(200_000)],
      ['cut.json', good.slice(0, 1000)],
      ['holes.json', good.replace('"a":97', '"a":970000000')],
      ['merges.json', good.replace('"merges":[]', '"merges":[["a","nowhere"]]')],
      ['lies.model', '\x0a\xff\xff\xff\xff\x0f'],
    ];
    for (const [name, text] of hostile) {
      const mimeType = 'application/octet-stream';
      await choose.setInputFiles({ name, mimeType, buffer: Buffer.from(text, 'latin1') });
      await refusal.filter({ hasText: name }).waitFor();
      assert.match(await refusal.textContent(), /was not taken.*signs\.json stays in use/, name);
      assert.equal(await number(page, 'plan-vocabulary'), 256, 'nothing is lost');
    }

    await trainPast(page, 5);
    const kept = await keptStep(page);
    await comeBack(page);
    // The settings are at their defaults again; the run knows its own.
    await page.getByTestId('go-on').click();
    await stepPast(page, kept + 2);
    await state.filter({ hasText: 'The tokenizer of the loaded run' }).waitFor();
    assert.equal(await page.getByTestId('field-tokenizer.kind').inputValue(), 'file');
    await vocabulary(page, 256);
    await page.getByTestId('ask').click();
    await page.getByTestId('sample').filter({ hasText: 'One day' }).first().waitFor();

    // One that is dropped is chosen, too, once it is taken.
    await page.getByTestId('stop').click();
    await page.getByTestId('field-tokenizer.kind').selectOption('characters');
    const drop = (text) =>
      page.evaluate((text) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([text], 'tokenizer.json'));
        window.dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true }));
      }, text);
    await drop('{}');
    await page.getByTestId('file-refused').filter({ hasText: 'tokenizer.json' }).waitFor();
    assert.equal(await page.getByTestId('field-tokenizer.kind').inputValue(), 'characters');
    await drop(good);
    await state.filter({ hasText: 'tokenizer.json' }).waitFor();
    assert.equal(await page.getByTestId('field-tokenizer.kind').inputValue(), 'file');
    assert.equal(await page.getByTestId('file-refused').count(), 0);
  }));

test('a saved run brings its trained tokenizer, and goes on after a reload to the same losses', () =>
  visit({ gpu: false, hash: hashOf({ ...long, ...bpe }) }, async (page) => {
    await vocabulary(page, 300);
    await trainPast(page, 5);
    const kept = await keptStep(page);
    const [saved] = await Promise.all([page.waitForEvent('download'), page.getByTestId('save-run').click()]);
    const file = await readFile(await saved.path());
    const stepOn = async () => {
      await page.getByTestId('step').click();
      const step = await stepPast(page, kept);
      const row = (await savedCsv(page)).findLast(({ series }) => series === 'train');
      return [step, row.step, row.loss, row.bits_per_byte];
    };
    const expected = await stepOn();

    await comeBack(page);
    const buffer = { name: 'run.safetensors', mimeType: 'application/octet-stream', buffer: file };
    await page.getByTestId('run-file').setInputFiles(buffer);
    await reaches(page, 'paused');
    assert.deepEqual(await stepOn(), expected);
  }));

test('the panel shows how texts are split, with every kind of tokenizer', () =>
  visit({ gpu: false, hash: hashOf(small) }, async (page) => {
    await planned(page);
    await openPanel(page);
    const split = page.getByTestId('split');
    const head = await page.getByTestId('text-preview').textContent();
    for (const kind of ['characters', 'bytes', 'bpe', 'sentencepiece_bpe', 'unigram', 'wordpiece']) {
      await page.getByTestId('field-tokenizer.kind').selectOption(kind);
      await page.waitForFunction(
        (kind) => document.querySelector('[data-testid=split]')?.closest('[data-kind]').dataset.kind === kind,
        kind,
      );
      const { all, text } = await pieces(page);
      // WordPiece loses blanks.
      if (kind !== 'wordpiece') assert.ok(head.startsWith(text) && text.length > 500, `${kind}: ${text}`);
      const perToken = await number(page, 'tokens-bytes-per-token');
      const most = kind === 'characters' || kind === 'bytes' ? 1.1 : 6;
      assert.ok(perToken >= 1 && perToken < most, `${kind}: ${perToken} bytes a token`);
      if (most > 2) assert.ok(all.length < 0.7 * text.length, `${kind}: ${all.length} pieces`);
      assert.ok((await number(page, 'tokens-used')) <= (await number(page, 'plan-vocabulary')));
      const share = await number(page, 'tokens-vocabulary-share');
      assert.ok(share > 0 && share < 1, `${share}`);
      assert.ok((await page.getByTestId('tokens-rare').locator('li').count()) > 5);
    }

    await page.getByTestId('field-tokenizer.kind').selectOption('bytes');
    await vocabulary(page, 256);
    await page.getByTestId('split-sample').fill('é🙂a');
    await page.getByTestId('split-facts').filter({ hasText: '7 tokens for 7 bytes' }).waitFor();
    assert.deepEqual((await pieces(page)).all, ['é', '🙂', 'a']);
    await page.getByTestId('split-sample').press('Tab');
    const about = page.getByTestId('beside');
    await about.waitFor();
    assert.equal(await about.locator('table').count(), 2, 'the two bytes of é');
    await split.press('End');
    await about.filter({ hasText: '97' }).waitFor();
    await split.press('Escape');
    await about.waitFor({ state: 'hidden' });
  }));

test('a long text is made ready while the page answers', () =>
  visit({ gpu: false, hash: hashOf({ ...small, ...bpe, 'data.corpus': 'own' }) }, async (page) => {
    await page.getByTestId('own-text').waitFor();
    const gap = () =>
      page.evaluate(() => {
        const seen = { last: performance.now(), longest: 0 };
        window.gaps = seen;
        setInterval(() => {
          const now = performance.now();
          seen.longest = Math.max(seen.longest, now - seen.last);
          seen.last = now;
        }, 10);
      });
    await page.evaluate(() => {
      // 10 MB of words, no two lines alike.
      const lines = Array.from(
        { length: 160_000 },
        (_, i) => `${i} owls read ${(i * 7919) % 99991} books in the old tower.`,
      );
      const transfer = new DataTransfer();
      transfer.items.add(new File([lines.join('\n'), '\n'.repeat(2e6)], 'owls.txt', { type: 'text/plain' }));
      window.dropOwls = () =>
        window.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, cancelable: true }));
    });
    await gap();
    await page.evaluate(() => window.dropOwls());
    await page.getByTestId('plan-readiness-begin').click();
    await page.getByTestId('plan-readiness-stop').waitFor();
    await vocabulary(page, 300);
    const longest = await page.evaluate(() => window.gaps.longest);
    assert.ok(longest < 500, `the page stood still for ${longest} ms`);
  }));
