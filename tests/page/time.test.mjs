// A run's time: how long it has trained, whatever the machine and the browser did meanwhile.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { hashOf, number, planned, reaches, savedCsv, stepPast, visit } from './reading.mjs';
import { long, points } from './runs.mjs';

const HOUR = 3600;

test('while the machine sleeps, no training time passes', () =>
  visit({ gpu: false, hash: hashOf(long) }, async (page) => {
    await planned(page);
    await page.getByTestId('train').click();
    for (let slept = 0; slept < 3; slept++) {
      await stepPast(page, await stepPast(page, 20 * (slept + 1)));
      // Where the clock of a browser goes on meanwhile, this is all that a worker sees of it.
      await page.workers()[0].evaluate((hour) => {
        const now = performance.now.bind(performance);
        performance.now = () => now() + hour * 1000;
      }, HOUR);
    }
    await stepPast(page, (await number(page, 'status-step')) + 20);
    await page.getByTestId('stop').click();
    await reaches(page, 'stopped');

    const train = (await savedCsv(page)).filter(({ series }) => series === 'train');
    assert.ok(train.at(-1).seconds < HOUR, `${train.at(-1).seconds} s of training`);
    for (const [index, row] of train.slice(1).entries())
      assert.ok(row.seconds >= train[index].seconds, `step ${row.step} was before the one before`);
    const tokens = train[0].tokens;
    for (const { step, tokens_per_second: speed } of train)
      assert.ok(speed > tokens / HOUR, `step ${step}: ${speed} tokens per second`);
  }));

test('a page that is frozen loses nothing of what its worker tells', () =>
  visit({ gpu: false, hash: hashOf(long) }, async (page) => {
    await planned(page);
    await page.getByTestId('train').click();
    const session = await page.context().newCDPSession(page);
    await stepPast(page, 20);
    for (const state of ['frozen', 'active']) {
      await session.send('Page.setWebLifecycleState', { state });
      await sleep(500);
    }
    await stepPast(page, await stepPast(page, 40));
    await page.getByTestId('stop').click();
    await reaches(page, 'stopped');
    const steps = points(await savedCsv(page), 'train').map(([step]) => step);
    assert.deepEqual(
      steps,
      Array.from(steps, (_, index) => index + 1),
    );
  }));
