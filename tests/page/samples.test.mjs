// What the model writes: as it comes, token by token, with what else it could have written.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf, number, phase, planned, reaches, small, stepPast, visit } from './reading.mjs';

const config = {
  ...small,
  'training.steps': 60,
  'evaluation.sample_every': 0,
  'evaluation.sample_tokens': 100,
  'evaluation.prompt': 'One+day',
};
const samples = (page) => page.getByTestId('sample');
const pieces = (page) => samples(page).first().locator('.piece');
const alternatives = (page) => page.getByTestId('beside');
const rows = (page) => alternatives(page).locator('tbody tr');

/** Train to the end of a short run. */
async function trained(page) {
  await planned(page);
  await page.getByTestId('train').click();
  await reaches(page, 'finished', 120_000);
}

/** A text of 100 tokens is complete as the newest of `count`. (A blank at the end of a line is not visible.) */
const written = (page, count) =>
  page
    .locator(`[data-testid=samples]:has(> :nth-child(${count})) > :first-child .piece:nth-child(100)`)
    .waitFor({ state: 'attached' });

const free = (page) => page.locator('[data-testid=ask][aria-disabled=false]');

/** Ask for one more text and wait for its end; the text. */
async function ask(page) {
  const before = await samples(page).count();
  // By key: the button may still move while the page takes in that the run has ended.
  await free(page).press('Enter');
  await written(page, before + 1);
  await free(page).waitFor();
  return samples(page).first().locator('.continuation').textContent();
}

/** From now on, notes what the worker posts, and holds the end of the next text back until `release`. */
async function listen(page) {
  const [worker] = page.workers();
  await worker.evaluate(() => {
    const post = self.postMessage;
    self.told = [];
    self.postMessage = (event) => {
      self.told.push(event.done ? 'done' : event.type);
      if (!event.done || self.release) return post.call(self, event);
      self.release = () => post.call(self, event);
    };
  });
  return {
    told: () => worker.evaluate(() => self.told),
    release: () => worker.evaluate(() => self.release()),
  };
}

test('a text comes in parts, commands are heard in between, and training goes on after it', () =>
  visit({ gpu: false, hash: hashOf({ ...config, 'training.steps': 100_000 }) }, async (page) => {
    await planned(page);
    const { told, release } = await listen(page);
    await page.getByTestId('train').click();
    await stepPast(page, 5);
    // Both in one go, so that the second is there while the first is at work.
    await page.evaluate(() => {
      for (const id of ['ask', 'pause']) document.querySelector(`[data-testid=${id}]`).click();
    });
    await reaches(page, 'paused');
    await pieces(page).nth(50).waitFor({ state: 'attached' });
    assert.equal(await page.getByTestId('ask').textContent(), 'Writing …');
    assert.ok((await pieces(page).count()) < 100, 'the end is still to come');
    await release();
    await free(page).waitFor();
    const events = await told();
    const [begun, paused, done] = ['sample', 'paused', 'done'].map((type) => events.indexOf(type));
    assert.ok(paused < done && begun < done, `${events.join(' ')}: the pause had to wait`);
    const parts = events.slice(begun, done).filter((type) => type === 'pieces').length;
    assert.ok(parts >= 5, `${parts} parts of a text of 100 tokens`);
    assert.ok(!events.slice(begun, done).includes('metrics'), 'no step while it writes');
    await written(page, 1);

    const step = await number(page, 'status-step');
    await free(page).press('Enter');
    await page.getByTestId('pause').press('Enter');
    await stepPast(page, step);
    assert.equal(await phase(page), 'running');
    await written(page, 2);
  }));

test('each press draws another text, and a seed its own again', () =>
  visit({ gpu: false, hash: hashOf(config) }, async (page) => {
    await trained(page);
    const seeds = () => samples(page).first().getAttribute('data-seed');
    const first = await ask(page);
    assert.equal(await seeds(), '1');
    const second = await ask(page);
    assert.equal(await seeds(), '2');
    assert.notEqual(second, first);

    await page.getByTestId('ask-sample_seed').fill('2');
    assert.equal(await ask(page), second);
    await page.getByTestId('ask-top_k').fill('1');
    const likeliest = await ask(page);
    await page.getByTestId('ask-top_k').fill('0');
    await page.getByTestId('ask-temperature').fill('0');
    assert.equal(await ask(page), likeliest, 'the likeliest token, either way');
    await page.getByTestId('ask-temperature').fill('2');
    await page.getByTestId('ask-top_p').fill('0');
    assert.equal(await ask(page), likeliest, 'the likeliest token, by top p');

    // The settings show the same, and say what does not fit.
    assert.equal(await page.getByTestId('field-evaluation.temperature').inputValue(), '2');
    await page.getByTestId('ask-temperature').fill('hot');
    await page.locator('.ask .problem').waitFor();
    assert.match(await page.locator('.ask .problem').textContent(), /hot.*a number from 0/);
    assert.equal(await page.getByTestId('ask').getAttribute('aria-disabled'), 'true');
  }));

test('a token tells what else it could have been: by mouse, by keyboard, by touch', () =>
  visit({ gpu: false, hash: hashOf(config) }, async (page) => {
    await trained(page);
    const text = await ask(page);
    assert.equal(await pieces(page).count(), 100);
    assert.equal((await pieces(page).allTextContents()).join(''), text);
    assert.equal(await alternatives(page).isVisible(), false);

    await pieces(page).nth(3).hover();
    await alternatives(page).waitFor();
    const told = await rows(page).allTextContents();
    assert.ok(told.length === 5 || told.length === 6, told.join());
    const shares = told.map((row) => Number(/([\d.]+)%/.exec(row)[1]));
    assert.ok(shares.slice(0, 5).every((share, i) => i === 0 || share <= shares[i - 1]));
    assert.ok(shares[0] > 0 && shares.reduce((sum, share) => sum + share, 0) < 101, shares.join());
    assert.equal(await alternatives(page).locator('[data-drawn]').count(), 1);
    // It may be pointed at itself, stays within the window, and goes with the pointer.
    await rows(page).first().hover();
    const box = await alternatives(page).boundingBox();
    const window = page.viewportSize();
    assert.ok(box.x >= 0 && box.y >= 0);
    assert.ok(box.x + box.width <= window.width && box.y + box.height <= window.height);
    await page.getByTestId('train').hover();
    await alternatives(page).waitFor({ state: 'hidden' });

    await page.getByTestId('ask').focus();
    await page.keyboard.press('Tab');
    await alternatives(page).waitFor();
    const here = () => samples(page).first().locator('[data-here]').getAttribute('data-index');
    assert.equal(await here(), '0');
    for (const [key, index] of [
      ['ArrowRight', '1'],
      ['ArrowRight', '2'],
      ['ArrowLeft', '1'],
      ['End', '99'],
      ['ArrowRight', '99'],
      ['Home', '0'],
      ['ArrowLeft', '0'],
    ]) {
      await page.keyboard.press(key);
      await page.locator(`.piece[data-here][data-index="${index}"]`).waitFor();
    }
    await page.keyboard.press('Escape');
    await alternatives(page).waitFor({ state: 'hidden' });
    await page.keyboard.press('ArrowRight');
    await alternatives(page).waitFor();
    await page.keyboard.press('Tab');
    await alternatives(page).waitFor({ state: 'hidden' });

    const tap = (index) =>
      pieces(page)
        .nth(index)
        .evaluate((piece) => {
          for (const type of ['pointerdown', 'click'])
            piece.dispatchEvent(new PointerEvent(type, { bubbles: true, pointerType: 'touch' }));
        });
    await tap(7);
    await alternatives(page).waitFor();
    assert.equal(await here(), '7');
    await tap(8);
    await page.locator('.piece[data-here][data-index="8"]').waitFor();
    await tap(8);
    await alternatives(page).waitFor({ state: 'hidden' });
  }));

test('the tokens of one character are shown as one', () => {
  const bytes = {
    ...config,
    'data.corpus': 'own',
    'tokenizer.kind': 'bytes',
    'training.steps': 200,
    'evaluation.prompt': encodeURIComponent('一只'),
    'evaluation.temperature': 0,
    'evaluation.sample_tokens': 30,
  };
  return visit({ gpu: false, hash: hashOf(bytes) }, async (page) => {
    await page.getByTestId('own-text').fill('从前有一只猫。'.repeat(200));
    await trained(page);
    await free(page).press('Enter');
    // 21 bytes again and again: that is learnt by heart, and three bytes are one character.
    const cat = samples(page).first().locator('.piece').first();
    await cat.filter({ hasText: '猫' }).waitFor();
    await cat.hover();
    await alternatives(page).waitFor();
    assert.deepEqual(await alternatives(page).locator('caption code').allTextContents(), [
      '<E7>',
      '<8C>',
      '<AB>',
    ]);
  });
});
