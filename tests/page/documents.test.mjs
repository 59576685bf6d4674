// Is there enough long text? Documents by length, what a run would read of them, and what it has read.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitsPhone, hashOf, number, planned, reaches, small, stepPast, visit } from './reading.mjs';
import { long, saved } from './runs.mjs';

const show = async (page) => {
  await page.getByTestId('view-length').click();
  await page.getByTestId('long-share').waitFor();
};

const train = (page) => page.getByTestId('view-train').click();

const rows = (page) =>
  page.getByTestId('length-row').evaluateAll((all) =>
    all.map((row) => ({
      from: Number(row.dataset.from),
      tokens: Number(row.dataset.tokens),
      cells: [...row.children].map((cell) => cell.textContent),
    })),
  );

/** The saved table, column by column. */
async function table(page) {
  const { bytes } = await saved(page, 'save-documents');
  const [head, ...lines] = String(bytes)
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  const column = (name) => lines.map((line) => line[head.indexOf(name)]);
  return { head, column, numbers: (name) => column(name).map(Number) };
}

const sum = (numbers) => numbers.reduce((sum, number) => sum + number, 0);

test('stories by length, with the context, and read while a run trains', () =>
  visit({ gpu: false, hash: hashOf({ ...long, 'data.packing': 'masked' }) }, async (page) => {
    await planned(page);
    const tokens = await number(page, 'plan-train-tokens');
    await show(page);
    const shown = await rows(page);
    assert.equal(sum(shown.map((row) => row.tokens)), tokens, 'every token is in a document');
    assert.ok(
      shown.every(({ from }, i) => i === 0 || from === 2 * shown[i - 1].from),
      'powers of two',
    );
    // No story is as short as 32 characters.
    assert.equal(await number(page, 'long-share'), 1);
    assert.match(
      await page.getByTestId('long-share').textContent(),
      /100% of the tokens .* 32 tokens, the context/,
    );
    const blocks = page.getByTestId('length-share').getByTestId('block');
    // Drawn once the chart's width is known.
    await blocks.first().waitFor({ state: 'attached' });
    assert.equal(await blocks.count(), shown.length);
    assert.match(await page.getByTestId('longest').textContent(), /[A-Z].*tokens/);

    const before = await table(page);
    const sequences = 100_000 * small['training.batch_size'];
    const whole = (sequences * small['model.context']) / tokens;
    for (const epochs of before.numbers('expected_epochs_masked'))
      assert.ok(Math.abs(epochs / whole - 1) < 1e-6);
    assert.ok(
      before.column('read_epochs').every((cell) => cell === ''),
      'nothing has been read',
    );

    await train(page);
    await page.getByTestId('train').click();
    await stepPast(page, 20);
    await show(page);
    const epochs = page.getByTestId('length-epochs');
    const read = epochs.getByText(/Read by the present run, [1-9]/).first();
    await read.waitFor();
    const early = sum((await table(page)).numbers('read_tokens'));
    assert.ok(early >= 20 * small['training.batch_size'] * small['model.context'], `${early} tokens`);
    await page.waitForFunction(
      (early) =>
        [...document.querySelectorAll('[data-testid=length-row]')].some(
          (row) => Number(row.lastChild.firstChild.data) > early,
        ),
      0,
    );
    // What has been read grows while it trains.
    await epochs.filter({ hasNotText: await read.textContent() }).waitFor();
    assert.ok(sum((await table(page)).numbers('read_tokens')) > early);

    await fitsPhone(page);
    const { name, bytes } = await saved(page, 'length-share-svg');
    assert.equal(name, 'trainlab-where-the-tokens-are.svg');
    assert.match(String(bytes), /Length of the document \(tokens\)/);
  }));

/** 200 short documents and two long ones. */
const few = [
  ...Array.from({ length: 200 }, (_, i) => `Note ${i}: the owl reads a book.`),
  ...[1, 2].map((i) => `Novel ${i}\n\n${'The owl reads on, and on, quietly. '.repeat(60)}`),
  ...Array.from({ length: 30 }, (_, i) => `Held out ${i}: the owl sleeps in the barn.`),
].join('\n<|endoftext|>\n');

test('few long documents are read again and again where all lengths come up alike, and the page says so', () =>
  visit(
    {
      gpu: false,
      hash: hashOf({
        ...small,
        'data.corpus': 'own',
        'data.packing': 'balanced',
        'tokenizer.kind': 'bytes',
        'model.context': 512,
        'training.steps': 40,
      }),
    },
    async (page) => {
      await page.getByTestId('own-text').fill(few);
      await planned(page);
      assert.equal(await page.getByTestId('field-data.packing').inputValue(), 'balanced');
      await show(page);
      const share = await number(page, 'long-share');
      assert.ok(share > 0.2 && share < 0.5, `${share}`);
      assert.match(
        await page.getByTestId('longest').locator('li').first().textContent(),
        /^Novel [12] [\d,]+ tokens$/,
      );
      assert.match(
        await page.getByTestId('worn').textContent(),
        /would read the 2 documents of 2048–4095 tokens [\d.]+ times each, the text as a whole/,
      );

      await train(page);
      await page.getByTestId('train').click();
      await reaches(page, 'finished', 120_000);
      await show(page);
      await page.getByTestId('worn').filter({ hasText: 'have been read' }).waitFor();
      const { numbers } = await table(page);
      const [expected, read] = ['expected_epochs_balanced', 'read_epochs'].map((name) =>
        numbers(name).at(-1),
      );
      assert.ok(read > 4 && Math.abs(read / expected - 1) < 0.35, `${read} read, ${expected} expected`);
    },
  ));
