// A run that has ended is trained on: with more steps, all else unchanged.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf, number, planned, reaches, savedCsv, small, stepPast, visit } from './reading.mjs';
import { points } from './runs.mjs';

const settings = { ...small, 'schedule.kind': 'constant', 'training.steps': 300 };

async function setSteps(page, steps) {
  const field = page.getByTestId('field-training.steps');
  await field.fill(String(steps));
  await field.blur();
}

test('a finished run that is trained on is the run that was that long from the start', () =>
  visit({ gpu: false, hash: hashOf(settings) }, async (page) => {
    await planned(page);
    const trainOn = page.getByTestId('train-on');
    await page.getByTestId('train').click();
    await reaches(page, 'finished', 120_000);
    const whole = await savedCsv(page);

    await setSteps(page, 130);
    assert.equal(await trainOn.count(), 0, 'these settings are for another run');
    await page.getByTestId('train').click();
    // The figures are those of the run before until this one has begun.
    await page.waitForFunction(() => document.querySelector('[data-testid=status-step]').dataset.value < 300);
    await reaches(page, 'finished', 120_000);
    assert.equal(await stepPast(page, 129), 130);
    assert.equal(await trainOn.count(), 0, 'it is as long as it should be');
    await setSteps(page, 300);
    await page.getByTestId('field-training.batch_size').fill('8');
    assert.equal(await trainOn.count(), 0, 'it is not that run');
    await page.getByTestId('field-training.batch_size').fill('4');
    await trainOn.click();
    await page.waitForFunction(() => document.querySelector('[data-testid=status-step]').dataset.value > 130);
    await reaches(page, 'finished', 120_000);
    assert.equal(await stepPast(page, 299), 300);
    const longer = await savedCsv(page);
    assert.deepEqual(points(longer, 'train'), points(whole, 'train'), 'bit for bit');
    // It was also validated at its first end.
    assert.deepEqual(
      points(longer, 'validation').filter(([step]) => step !== 130),
      points(whole, 'validation'),
    );
    assert.equal(points(longer, 'validation').length, points(whole, 'validation').length + 1);
    const samples = page.getByTestId('sample');
    const taken = await samples.evaluateAll((all) => all.map(({ dataset }) => Number(dataset.step)));
    assert.deepEqual(
      taken,
      [300, 225, 150, 130, 75, 0].filter((step) => taken.includes(step)),
      'none twice',
    );
    assert.ok(taken.includes(130));
  }));

test('a stopped run can be trained on to its end', () =>
  visit({ gpu: false, hash: hashOf({ ...settings, 'training.steps': 3000 }) }, async (page) => {
    await planned(page);
    await page.getByTestId('train').click();
    await stepPast(page, 10);
    await page.keyboard.press('x');
    await reaches(page, 'stopped');
    const stopped = await number(page, 'status-step');
    assert.ok(stopped < 3000);
    await page.keyboard.press('o');
    await reaches(page, 'finished', 120_000);
    assert.equal(await stepPast(page, 2999), 3000);
    const steps = points(await savedCsv(page), 'train').map(([step]) => step);
    assert.deepEqual(
      steps,
      Array.from({ length: 3000 }, (_, index) => index + 1),
    );
  }));
