// Runs that are too large: refused before anything is allocated, with ways out that are one press away.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf, number, planned, reaches, small, visit } from './reading.mjs';

const field = (page, path) => page.getByTestId(`field-${path}`);
const refused = (page) => page.getByTestId('does-not-fit');

/** More than wasm can address, of a model that fits. */
const large = {
  'model.layers': 24,
  'model.width': 256,
  'model.hidden': 1024,
  'model.context': 2048,
  'training.batch_size': 64,
};

test('a batch that does not fit can be made smaller, or split, with the keyboard', () =>
  visit({ gpu: false, hash: hashOf(large) }, async (page) => {
    await refused(page).waitFor();
    const told = await refused(page).textContent();
    const [, largest, parts] = told.match(/at most (\d+) on CPU, .* training\.accumulation = (\d+)\./);
    assert.ok(Number(largest) >= 1 && Number(largest) < 64, told);
    assert.equal(await page.getByTestId('train').getAttribute('aria-disabled'), 'true');
    assert.equal(
      await page
        .getByRole('status')
        .filter({ has: refused(page) })
        .count(),
      1,
      'it is announced',
    );

    await page.getByTestId('fix-training.batch_size').focus();
    await page.keyboard.press('Enter');
    await planned(page);
    assert.equal(await field(page, 'training.batch_size').inputValue(), largest);
    assert.equal(await number(page, 'plan-tokens-per-step'), Number(largest) * 2048);
    assert.equal(await refused(page).count(), 0);
    assert.equal(
      await page.evaluate(() => document.activeElement.localName),
      'summary',
      'the focus stays near',
    );

    await field(page, 'training.batch_size').fill('64');
    await page.getByTestId('fix-training.accumulation').click();
    await planned(page);
    assert.equal(await field(page, 'training.batch_size').inputValue(), '64');
    assert.equal(await field(page, 'training.accumulation').inputValue(), parts);
    assert.equal(await number(page, 'plan-tokens-per-step'), 64 * 2048);
    assert.match(await page.getByTestId('plan').textContent(), new RegExp(`in ${parts} micro-batches`));
  }));

for (const gpu of [false, true])
  test(`a step in micro-batches trains ${gpu ? 'on the GPU' : 'on the CPU'}`, () =>
    visit(
      {
        gpu,
        hash: hashOf({ ...small, 'training.steps': 20, 'evaluation.every': 10, 'training.accumulation': 4 }),
      },
      async (page) => {
        if (gpu) {
          await page.getByTestId('device-choice').selectOption('gpu');
          await page.locator('[data-testid=device][data-kind=gpu]').waitFor();
        }
        await planned(page);
        await page.getByTestId('train').click();
        await reaches(page, 'finished');
        assert.equal(await number(page, 'status-step'), 20);
      },
    ));
