// Train, Pause, Resume, Step, Stop: by mouse and by keyboard alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { hashOf, number, phase, planned, reaches, small, stepPast, visit } from './reading.mjs';

const long = { ...small, 'training.steps': 100000, 'evaluation.every': 0, 'evaluation.sample_every': 0 };

async function able(page) {
  const states = {};
  for (const name of ['train', 'pause', 'step', 'stop']) {
    states[name] = (await page.getByTestId(name).getAttribute('aria-disabled')) === 'false';
  }
  return states;
}

/** Nothing more arrives: the same step twice, a second apart. */
async function standsStill(page) {
  await sleep(300);
  const step = await number(page, 'status-step');
  await sleep(1000);
  assert.equal(await number(page, 'status-step'), step, 'the run goes on');
  return step;
}

test('a run can be paused, stepped, resumed and stopped', () =>
  visit({ gpu: false, hash: hashOf(long) }, async (page) => {
    await planned(page);
    await reaches(page, 'idle');
    assert.deepEqual(await able(page), { train: true, pause: false, step: true, stop: false });

    await page.getByTestId('train').click();
    await stepPast(page, 5);
    assert.deepEqual(await able(page), { train: false, pause: true, step: false, stop: true });
    assert.ok(await page.getByTestId('device-choice').isDisabled(), 'the device stays while a run is live');

    await page.getByTestId('pause').click();
    await reaches(page, 'paused');
    const paused = await standsStill(page);
    assert.deepEqual(await able(page), { train: false, pause: true, step: true, stop: true });

    await page.getByTestId('step').click();
    assert.equal(await stepPast(page, paused), paused + 1, 'exactly one step');
    await page.getByTestId('step').click();
    assert.equal(await stepPast(page, paused + 1), paused + 2);

    assert.equal(await page.getByTestId('pause').textContent(), 'Resume');
    await page.getByTestId('pause').click();
    await stepPast(page, paused + 5);

    await page.getByTestId('stop').click();
    await reaches(page, 'stopped');
    await standsStill(page);
    assert.deepEqual(await able(page), { train: true, pause: false, step: true, stop: false });

    // The next run begins at the beginning.
    await page.getByTestId('step').click();
    await reaches(page, 'paused');
    await page.waitForFunction(
      () => document.querySelector('[data-testid=status-step]').dataset.value === '1',
    );
    await page.getByTestId('stop').click();
    await reaches(page, 'stopped');
  }));

test('a Stop that was heard does nothing to the next run', () =>
  visit({ gpu: false, hash: hashOf(long) }, async (page) => {
    await planned(page);
    // The timers of ten seconds, to be run out when the test says so.
    await page.evaluate(() => {
      const { setTimeout, clearTimeout } = window;
      window.waiting = new Map();
      window.setTimeout = (work, wait) => {
        const id = setTimeout(work, wait);
        if (wait === 10_000) window.waiting.set(id, work);
        return id;
      };
      window.clearTimeout = (id) => {
        window.waiting.delete(id);
        clearTimeout(id);
      };
    });
    await page.getByTestId('train').click();
    await stepPast(page, 5);
    await page.getByTestId('stop').click();
    await reaches(page, 'stopped');
    await page.getByTestId('train').click();
    await reaches(page, 'running');
    await page.evaluate(() => [...window.waiting.values()].map((runOut) => runOut()));
    await stepPast(page, await stepPast(page, 5));
    assert.equal(await phase(page), 'running');
    await page.getByTestId('stop').click();
    await reaches(page, 'stopped');
  }));

test('a whole run by keyboard alone', () => {
  // Long enough that it is not over before a key is pressed.
  const steps = 3000;
  const config = {
    ...small,
    'training.steps': steps,
    'evaluation.every': 500,
    'evaluation.sample_every': 500,
  };
  return visit({ gpu: false, hash: hashOf(config) }, async (page) => {
    await planned(page);
    await reaches(page, 'idle');

    // To Train by Tab; there the focus must show.
    for (let presses = 0; presses < 30; presses++) {
      await page.keyboard.press('Tab');
      if ((await page.evaluate(() => document.activeElement.dataset.testid)) === 'train') break;
    }
    assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), 'train');
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(outline, 'solid', 'visible focus');

    await page.keyboard.press('Enter');
    await stepPast(page, 3);
    assert.equal(
      await page.evaluate(() => document.activeElement.dataset.testid),
      'train',
      'a button that cannot be used now keeps the focus',
    );
    await page.keyboard.press('p');
    await reaches(page, 'paused');
    const paused = await standsStill(page);
    await page.keyboard.press('s');
    assert.equal(await stepPast(page, paused), paused + 1);
    await page.keyboard.press('p');
    await reaches(page, 'finished', 120_000);
    assert.equal(await stepPast(page, steps - 1), steps);
    assert.ok((await number(page, 'status-loss')) < (await number(page, 'plan-unigram-loss')));

    // A letter typed into a field is a letter.
    await page.getByTestId('ask-prompt').fill('');
    await page.getByTestId('ask-prompt').pressSequentially('stop');
    assert.equal(await phase(page), 'finished');
    assert.equal(await page.getByTestId('ask-prompt').inputValue(), 'stop');
  });
});

/** Without the sentence that is due every twenty seconds, which may come between any two steps. */
const withoutTimer = (page) =>
  page.addInitScript(() => {
    const { setInterval } = window;
    window.setInterval = (work, wait) => (wait === 20_000 ? 0 : setInterval(work, wait));
  });

test('the spoken status is a sentence, and does not change at every step', () =>
  visit({ gpu: false, hash: hashOf(long), prepare: withoutTimer }, async (page) => {
    await planned(page);
    await page.getByTestId('train').click();
    const before = await stepPast(page, 2);
    const spoken = await page.getByTestId('status-spoken').textContent();
    assert.match(spoken, /^Training\./);
    await stepPast(page, before + 20);
    assert.equal(await page.getByTestId('status-spoken').textContent(), spoken);
    await page.getByTestId('stop').click();
    await reaches(page, 'stopped');
    assert.match(
      await page.getByTestId('status-spoken').textContent(),
      /^Stopped\. Step [\d,]+, [\d,]+ tokens, loss \d\.\d+, \d\.\d+ bits per byte/,
    );
  }));
