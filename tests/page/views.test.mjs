// Train, Runs, Sweeps: in the address, with Back, for keys and screen readers; none stops a run.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitsPhone, hashOf, number, phase, planned, reaches, stepPast, visit } from './reading.mjs';
import { long } from './runs.mjs';

const current = (page) => page.locator('nav.views [aria-current=page]').textContent();
/** A title takes the focus after it has been painted. */
const focuses = (page, title) =>
  page.waitForFunction((title) => document.activeElement.textContent === title, title);

test('a view that is left stops nothing, Back leads to it, and the address opens it', () =>
  visit({ gpu: false, hash: hashOf(long) }, async (page, _errors, _requests, open) => {
    await planned(page);
    assert.match(await current(page), /^Train/);
    await page.getByTestId('train').click();
    const step = await stepPast(page, 5);
    // What is being typed is no change yet, and stays.
    await page.getByTestId('field-model.layers').fill('0');
    await page.getByTestId('problem-model.layers').waitFor();

    await page.getByTestId('view-runs').focus();
    await page.keyboard.press('Enter');
    await page.getByTestId('run-row').waitFor();
    assert.match(page.url(), /\?view=runs#.*training\.steps=100000/);
    assert.equal(await current(page), 'Runs');
    assert.equal(await page.title(), 'Runs · trainlab');
    await focuses(page, 'Runs');
    // The letters are for the Train view.
    await page.keyboard.press('x');
    await page.locator('[data-testid=view-train] small').filter({ hasText: '%' }).waitFor();
    await page.getByTestId('view-sweeps').click();
    await focuses(page, 'Sweeps');

    await page.goBack();
    await page.getByTestId('run-row').waitFor();
    await page.goBack();
    await stepPast(page, step + 20);
    assert.equal(await phase(page), 'running');
    await focuses(page, 'Train');
    assert.doesNotMatch(page.url(), /view=/);
    assert.equal(await page.getByTestId('field-model.layers').inputValue(), '0');
    await page.goForward();
    await page.getByTestId('run-row').waitFor();
    assert.equal(await page.getByTestId('run-row').getAttribute('data-state'), 'running');

    await fitsPhone(page);

    const other = await open(page.url());
    await other.getByTestId('run-row').waitFor();
    assert.equal(await current(other), 'Runs');
    const nowhere = await other.evaluate(() => document.activeElement === document.body);
    assert.ok(nowhere, 'nothing was chosen here');
    await other.getByTestId('view-train').click();
    await planned(other);
    assert.equal(await other.getByTestId('field-training.steps').inputValue(), '100000');
    assert.ok(Number.isNaN(await number(other, 'status-loss')));

    await page.getByTestId('view-train').click();
    await page.getByTestId('stop').click();
    await reaches(page, 'stopped');
  }));
