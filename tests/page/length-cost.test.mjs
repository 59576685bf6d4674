// What a longer context costs, as measured in the page.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fitsPhone, hashOf, planned, small, visit } from './reading.mjs';

const LENGTHS = [64, 128, 256, 512, 1024];
const WIDTHS = [32, 64, 128];

/** Opens the section with so much of the grid chosen. */
async function open(page, lengths, widths) {
  await planned(page);
  await page.getByTestId('view-length').click();
  await page.getByTestId('lengths-64').waitFor();
  for (const [axis, all, chosen] of [
    ['lengths', LENGTHS, lengths],
    ['widths', WIDTHS, widths],
  ])
    for (const value of all)
      if (!chosen.includes(value)) await page.getByTestId(`${axis}-${value}`).uncheck();
}

async function measure(page) {
  await page.getByTestId('measure-lengths').click();
  await page.getByTestId('measuring-lengths').waitFor();
  await page.getByTestId('measuring-lengths').waitFor({ state: 'detached', timeout: 120_000 });
  await page.getByTestId('length-cost-result').waitFor();
}

async function table(page) {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByTestId('save-lengths').click(),
  ]);
  const [head, ...lines] = (await readFile(await download.path(), 'utf8')).trim().split('\n');
  const names = head.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, i) => [names[i], cell])));
}

test('a small grid is measured and drawn beside the law and the published tables', () =>
  visit({ gpu: false, hash: hashOf(small) }, async (page) => {
    await open(page, [64, 128, 256], [32, 64]);
    await measure(page);
    assert.equal(await page.getByTestId('cost-cell').count(), 6);
    assert.equal(await page.getByTestId('crossover').count(), 2);
    const lines = async (id) => {
      const drawn = page.getByTestId(id).getByTestId('line');
      // All at once, when the chart's width is known.
      await drawn.first().waitFor({ state: 'attached' });
      return drawn.count();
    };
    assert.deepEqual([await lines('cost-rate'), await lines('cost-doubling')], [2, 2]);
    assert.equal(await lines('cost-law'), 4, 'measured, and by the law');
    assert.equal(await lines('cost-published-2023-07-21'), 8, 'a line a model');

    const rows = await table(page);
    assert.equal(rows.length, 6);
    for (const row of rows) {
      const shares = ['attention', 'matmul', 'head', 'optimizer', 'rest'].map(
        (part) => +row[`${part}_share`],
      );
      assert.ok(Math.abs(shares.reduce((sum, share) => sum + share) - 1) < 1e-9, `${shares}`);
      assert.equal(Number(row.tokens_per_step), 1024);
      const rate = 1024 / Number(row.step_seconds);
      assert.ok(Math.abs(rate / Number(row.tokens_per_second) - 1) < 1e-9);
      assert.equal(Number(row.crossover_causal), 12 * Number(row.width));
    }
    // What is counted, and not timed: attention's operations double with the context, those of products stay.
    const flops = (part) => rows.slice(0, 3).map((row) => Number(row[`${part}_flops_per_token`]));
    const [a, b, c] = flops('attention');
    assert.deepEqual([b / a, c / b], [2, 2]);
    assert.equal(new Set(flops('matmul')).size, 1);

    await fitsPhone(page);
  }));

test('a measurement can be stopped, and begun again', () =>
  visit({ gpu: false, hash: hashOf(small) }, async (page) => {
    await open(page, [64, 1024], [128]);
    await page.getByTestId('measure-lengths').click();
    await page.getByTestId('measuring-lengths').waitFor();
    await page.getByTestId('end-lengths').click();
    await page.getByTestId('measuring-lengths').waitFor({ state: 'detached' });
    assert.match(await page.getByTestId('length-cost-said').textContent(), /was ended/);
    assert.equal(await page.getByTestId('length-cost-result').count(), 0);

    await page.getByTestId('lengths-64').uncheck();
    await page.getByTestId('lengths-1024').click();
    assert.ok(await page.getByTestId('lengths-1024').isChecked(), 'one stays');
    await page.getByTestId('lengths-64').check();
    await page.getByTestId('lengths-1024').uncheck();
    await measure(page);
    assert.equal(await page.getByTestId('cost-cell').count(), 1);
    // Nothing doubled.
    assert.equal(await page.getByTestId('cost-doubling').count(), 0);
    assert.ok(await page.getByTestId('cost-published-latest').isVisible());
  }));
