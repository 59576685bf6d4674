// The config in the address: written, read, and never trusted.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { phase, planned, visit } from './reading.mjs';

const value = (page, path) => page.getByTestId(`field-${path}`).inputValue();
const hash = (page) => page.evaluate(() => location.hash);

test('a change is in the address, Back undoes it, Forward does it again', () =>
  visit({ gpu: false }, async (page) => {
    await planned(page);
    const layers = await value(page, 'model.layers');
    await page.getByTestId('field-model.layers').fill('2');
    await page.getByTestId('field-model.layers').press('Enter');
    await page.waitForFunction(() => location.hash === '#model.layers=2');
    await page.getByTestId('field-schedule.kind').selectOption('linear');
    await page.waitForFunction(() => location.hash === '#model.layers=2&schedule.kind=linear');

    await page.goBack();
    await page.waitForFunction(() => document.querySelector('[name="schedule.kind"]').value === 'cosine');
    assert.equal(await value(page, 'model.layers'), '2');
    await page.goBack();
    await page.waitForFunction(
      (usual) => document.querySelector('[name="model.layers"]').value === usual,
      layers,
    );
    assert.equal(await hash(page), '');
    await page.goForward();
    await page.waitForFunction(() => document.querySelector('[name="model.layers"]').value === '2');

    // A value that does not fit is never put into the address.
    await page.getByTestId('field-model.layers').fill('0');
    await page.getByTestId('field-model.layers').press('Enter');
    await page.getByTestId('problem-model.layers').waitFor();
    assert.equal(await hash(page), '#model.layers=2');
  }));

test('a copied link opens the same settings and trains nothing', async () => {
  let link = '';
  await visit({ gpu: false }, async (page) => {
    await planned(page);
    await page.getByTestId('field-evaluation.prompt').fill('“One day”, & 50% of');
    await page.getByTestId('field-training.steps').fill('321');
    await page.getByTestId('field-training.steps').press('Enter');
    await page.waitForFunction(() => location.hash.includes('training.steps=321'));
    link = await hash(page);
  });
  await visit({ gpu: false, hash: link.slice(1) }, async (page) => {
    await planned(page);
    assert.equal(await value(page, 'training.steps'), '321');
    assert.equal(await value(page, 'evaluation.prompt'), '“One day”, & 50% of');
    assert.equal(await page.getByTestId('link-problems').count(), 0);
    assert.equal(await phase(page), 'idle');
  });
});

test('a link leaves out what is at the defaults of its optimizer', () =>
  visit({ gpu: false }, async (page) => {
    await planned(page);
    const usual = await value(page, 'optimizer.learning_rate');
    await page.getByTestId('field-optimizer.kind').selectOption('muon');
    await page.waitForFunction(() => location.hash === '#optimizer.kind=muon');
    await page.getByTestId('field-optimizer.kind').selectOption('lion');
    await page.waitForFunction(() => location.hash === '#optimizer.kind=lion');
    const lion = await value(page, 'optimizer.learning_rate');
    assert.notEqual(lion, usual);
    await page.goBack();
    await page.goBack();
    await page.waitForFunction(
      (rate) => document.querySelector('[name="optimizer.learning_rate"]').value === rate,
      usual,
    );
    // AdamW's rate, but Lion's all else, in whatever order.
    const [kind, rate] = ['optimizer.kind=lion', `optimizer.learning_rate=${usual}`];
    for (const parts of [`${kind}&${rate}`, `${rate}&${kind}`]) {
      // From the defaults each time: what the link before has left would pass for this one's.
      await page.evaluate(() => {
        location.hash = '';
      });
      await page.waitForFunction(() => document.querySelector('[name="optimizer.kind"]').value === 'adamw');
      await page.evaluate((hash) => {
        location.hash = hash;
      }, parts);
      await page.waitForFunction(() => document.querySelector('[name="optimizer.kind"]').value === 'lion');
      assert.equal(await value(page, 'optimizer.learning_rate'), usual);
    }
  }));

test('a bad link says what was wrong and falls back', () => {
  const bad = 'model.layers=2&model.wings=2&training.steps=-5&model.norm=best&evaluation.prompt=%E0%A4%A';
  return visit({ gpu: false, hash: bad }, async (page) => {
    await planned(page);
    const told = await page.getByTestId('link-problems').textContent();
    for (const part of ['model.wings', 'training.steps', '-5', 'model.norm', 'best', 'evaluation.prompt']) {
      assert.ok(told.includes(part), `${part} is missing from: ${told}`);
    }
    assert.equal(await value(page, 'model.layers'), '2', 'the good part is kept');
    assert.ok(Number(await value(page, 'training.steps')) > 0);
    assert.equal(await page.locator('[data-testid^="problem-"]').count(), 0, 'what is in the form now fits');
    assert.equal(await phase(page), 'idle', 'nothing is trained on arrival');
  });
});

test('settings that fit alone but not together fall back, too', () =>
  visit({ gpu: false, hash: 'model.width=96&model.heads=7' }, async (page) => {
    await planned(page);
    assert.match(await page.getByTestId('link-problems').textContent(), /model\.heads.*7/);
    assert.equal(await page.locator('[data-testid^="problem-"]').count(), 0);
  }));
