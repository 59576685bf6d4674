// Texts: the visitor's own, refused ones, the novel that is fetched.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf, number, planned, reaches, small, visit } from './reading.mjs';

const own = { ...small, 'data.corpus': 'own', 'training.steps': 60 };
const lines = Array.from({ length: 400 }, (_, i) => `Line ${i}: the owl reads ${i * 7} books, quietly.`).join(
  '\n',
);

test('own text is taken, trained on, and survives refused ones', () =>
  visit({ gpu: false, hash: hashOf(own) }, async (page) => {
    const state = page.getByTestId('own-text-state');
    const refusal = page.getByTestId('own-text-refusal');
    await state.waitFor();
    await page.getByTestId('no-plan').filter({ hasText: 'no text yet' }).waitFor();
    await page.getByTestId('train').click();
    assert.match(await page.getByTestId('refused').textContent(), /no text yet/, 'nothing to train on');

    await page.getByTestId('own-text').fill(lines);
    await planned(page);
    assert.match(await state.textContent(), /In use: The pasted text, \d/);
    const tokens = await number(page, 'plan-train-tokens');
    assert.ok(
      tokens > lines.length * 0.8 && tokens < lines.length,
      `${tokens} tokens of ${lines.length} characters`,
    );
    assert.match(await page.getByTestId('text-preview').textContent(), /Line 0: the owl/);

    const files = [
      ['empty.txt', Buffer.from('  \n '), /empty\.txt.*empty/],
      ['tiny.txt', Buffer.from('Too short.'), /tiny\.txt.*only 10 bytes/],
      [
        'picture.png',
        Buffer.from([0x89, 0x50, 0x4e, 0x47, ...Array(2000).fill(0xff)]),
        /picture\.png.*not UTF-8/,
      ],
      ['latin.txt', Buffer.from('caf\xe9 '.repeat(500), 'latin1'), /latin\.txt.*not UTF-8/],
    ];
    for (const [name, buffer, says] of files) {
      await page.getByTestId('own-file').setInputFiles({ name, mimeType: 'text/plain', buffer });
      await refusal.filter({ hasText: name }).waitFor();
      assert.match(await refusal.textContent(), says);
      assert.match(await refusal.textContent(), /The pasted text .* stays in use/);
      assert.equal(await number(page, 'plan-train-tokens'), tokens, 'nothing is lost');
    }

    const file = { name: 'owls.txt', mimeType: 'text/plain', buffer: Buffer.from(lines.repeat(2)) };
    await page.getByTestId('own-file').setInputFiles(file);
    await state.filter({ hasText: 'owls.txt' }).waitFor();
    assert.equal(await refusal.count(), 0);
    await page.waitForFunction(
      (least) => Number(document.querySelector('[data-testid=plan-train-tokens]')?.dataset.value) > least,
      tokens,
    );

    const unigram = await number(page, 'plan-unigram-loss');
    await page.getByTestId('train').click();
    await reaches(page, 'finished', 120_000);
    assert.ok((await number(page, 'status-validation-loss')) < unigram);
    assert.equal(
      await page.evaluate(() => location.hash.includes('owl')),
      false,
      'the text is not in the address',
    );
  }));

test('a file over the limit is refused without being read', () =>
  visit({ gpu: false, hash: hashOf(own) }, async (page) => {
    await page.getByTestId('own-text').waitFor();
    await page.evaluate(() => {
      const parts = Array.from({ length: 65 }, () => new Uint8Array(1024 * 1024).fill(97));
      const transfer = new DataTransfer();
      transfer.items.add(new File(parts, 'huge.txt', { type: 'text/plain' }));
      window.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, cancelable: true }));
    });
    const refusal = page.getByTestId('own-text-refusal');
    await refusal.waitFor();
    assert.match(await refusal.textContent(), /huge\.txt.*65\.0 MiB.*at most 64\.0 MiB/);
  }));

test('a dropped file switches to own text', () =>
  visit({ gpu: false }, async (page) => {
    await planned(page);
    await page.evaluate((content) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([content], 'dropped.txt', { type: 'text/plain' }));
      window.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, cancelable: true }));
    }, lines);
    await page.getByTestId('own-text-state').filter({ hasText: 'dropped.txt' }).waitFor();
    assert.equal(await page.getByTestId('field-data.corpus').inputValue(), 'own');
    await page.getByTestId('text-preview').filter({ hasText: 'Line 0' }).waitFor({ state: 'attached' });
  }));

test('the novel is fetched beside the page', () =>
  visit({ gpu: false }, async (page) => {
    await planned(page);
    await page.getByTestId('field-data.corpus').selectOption('moby_dick');
    await page
      .getByTestId('text-preview')
      .filter({ hasText: /whale|Ishmael/i })
      .waitFor({ state: 'attached' });
    await page.waitForFunction(
      () => Number(document.querySelector('[data-testid=plan-train-tokens]')?.dataset.value) > 1_000_000,
    );
  }));
