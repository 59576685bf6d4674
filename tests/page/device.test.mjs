// Which device, why, and what is missing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf, number, planned, reaches, small, stepPast, visit } from './reading.mjs';

const kind = (page) => page.getByTestId('device').getAttribute('data-kind');

test('without WebGPU the CPU device is used, and the page says what is missing and how to get it', () =>
  visit({ gpu: false, hash: hashOf(small) }, async (page) => {
    await planned(page);
    assert.equal(await kind(page), 'cpu');
    const note = await page.getByTestId('device-note').textContent();
    assert.match(note, /WebGPU/);
    assert.match(note, /Chrome|browser/);

    await page.getByTestId('device-choice').selectOption('gpu');
    await page.getByTestId('device-refusal').waitFor();
    assert.match(await page.getByTestId('device-refusal').textContent(), /CPU device stays in use/);
    assert.equal(await kind(page), 'cpu');
  }));

test('a software adapter is known as one, and can be chosen all the same', () =>
  visit({ gpu: true, hash: hashOf(small) }, async (page) => {
    await planned(page);
    assert.equal(await kind(page), 'cpu', 'shaders on a software adapter are slower than the CPU device');
    await page.getByTestId('device-note').waitFor();
    await page.getByTestId('device-choice').selectOption('gpu');
    await page.locator('[data-testid=device][data-kind=gpu]').waitFor();
    assert.match(await page.getByTestId('device').textContent(), /software/);
  }));

test('a lab that breaks down is started anew, with the settings and the text that were there', () => {
  const own = { ...small, 'data.corpus': 'own', 'training.steps': 100000 };
  return visit({ gpu: false, hash: hashOf(own) }, async (page, errors) => {
    await page
      .getByTestId('own-text')
      .fill('A sentence that is long enough to be trained on, again and again.\n'.repeat(99));
    await planned(page);
    const tokens = await number(page, 'plan-train-tokens');
    await page.getByTestId('train').click();
    await stepPast(page, 2);
    // The browser tells of it by another way than the page does.
    const told = page.waitForEvent('pageerror');
    await page.workers()[0].evaluate(() => {
      setTimeout(() => {
        throw new Error('broken on purpose');
      });
    });
    await reaches(page, 'crashed');
    assert.match(await page.getByTestId('crashed').textContent(), /broken on purpose/);
    await told;
    assert.equal(errors.length, 1);
    errors.length = 0;

    await page.getByTestId('relaunch').click();
    await reaches(page, 'idle');
    await planned(page);
    assert.equal(await page.getByTestId('field-training.steps').inputValue(), '100000');
    assert.equal(await number(page, 'plan-train-tokens'), tokens);
    await page.getByTestId('train').click();
    // Until then the steps are those of the run before.
    await reaches(page, 'running');
    await stepPast(page, 2);
    await page.getByTestId('stop').click();
    await reaches(page, 'stopped');
  });
});

test('a run that diverges stops and names the tensor', () => {
  // Each step multiplies the weights by 1 − 10·10: they overflow within twenty steps.
  const wild = {
    ...small,
    'optimizer.learning_rate': 10,
    'optimizer.weight_decay': 10,
    'schedule.kind': 'constant',
    'schedule.warmup_steps': 0,
  };
  return visit({ gpu: false, hash: hashOf(wild) }, async (page) => {
    await planned(page);
    await page.getByTestId('train').click();
    await reaches(page, 'failed');
    const told = await page.getByTestId('failed').textContent();
    assert.match(told, /step \d+/);
    assert.match(told, /loss|weight|bias|gradient|blocks|emb|norm|head/);
    assert.ok((await number(page, 'status-step')) < 40);
    assert.equal(await page.getByTestId('train').getAttribute('aria-disabled'), 'false');
    // A result, which is listed as such.
    await page.getByTestId('view-runs').click();
    const listed = page.locator('[data-testid=run-row][data-state=diverged]');
    assert.ok((await listed.getByTestId('run-message').textContent()).includes(told.match(/step \d+/)[0]));
  });
});
