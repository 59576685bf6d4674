// Workers that share each batch on the CPU device.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf, number, planned, reaches, savedCsv, small, stepPast, visit } from './reading.mjs';
import { assertWhole, points } from './runs.mjs';

/** Large enough to be shared. */
const wide = {
  ...small,
  'model.width': 64,
  'model.hidden': 256,
  'model.context': 64,
  'training.batch_size': 8,
};

const unending = {
  ...wide,
  'training.steps': 100000,
  'evaluation.every': 0,
  'evaluation.sample_every': 0,
};

const share = (page, workers) => page.getByTestId('workers').selectOption(String(workers));

const onTwoCores = (options, body) =>
  visit({ gpu: false, prepare: (page) => page.addInitScript(twoCores), ...options }, body);

function twoCores() {
  Object.defineProperty(navigator, 'hardwareConcurrency', { get: () => 2 });
}

async function trained(page) {
  await page.getByTestId('train').click();
  await reaches(page, 'finished');
  return savedCsv(page);
}

/** Those that the lab's own has started. */
const others = (page) => page.workers().filter((worker) => worker !== page.workers()[0]);

test('a run that two workers share is the run of one, and the same bits each time', () =>
  onTwoCores({ hash: hashOf({ ...wide, 'training.steps': 40 }) }, async (page) => {
    await planned(page);
    assert.equal(await page.getByTestId('workers').inputValue(), '2', 'of two cores, both');
    const shared = await trained(page);
    assert.equal(others(page).length, 1);
    const bytes = await number(page, 'plan-bytes-total');
    const again = await trained(page);
    await share(page, 1);
    const alone = await trained(page);
    assert.ok((await number(page, 'plan-bytes-total')) < bytes, 'a replica is memory too');
    for (const series of ['train', 'validation']) {
      assert.deepEqual(points(again, series), points(shared, series), `${series}, bit for bit`);
      const losses = [shared, alone].map((rows) =>
        rows.filter((row) => row.series === series).map(({ loss }) => loss),
      );
      assert.equal(losses[0].length, losses[1].length);
      for (const [i, loss] of losses[0].entries()) assert.ok(Math.abs(loss - losses[1][i]) < 1e-3);
    }
  }));

test('the choice of workers stays, and a run says how many it had', () =>
  onTwoCores({ hash: hashOf({ ...wide, 'training.steps': 5 }) }, async (page) => {
    await planned(page);
    await share(page, 1);
    await page.reload();
    await planned(page);
    assert.equal(await page.getByTestId('workers').inputValue(), '1');
    await trained(page);
    assert.equal(others(page).length, 0);
    await share(page, 2);
    await trained(page);
    await page.getByTestId('view-runs').click();
    const rows = await page.getByTestId('run-row').allTextContents();
    assert.equal(rows.length, 2);
    assert.equal(rows.filter((row) => row.includes('2 workers')).length, 1);
  }));

test('steps that are too small to be shared are not', () =>
  onTwoCores({ hash: hashOf({ ...small, 'training.steps': 5 }) }, async (page) => {
    await planned(page);
    assert.equal(await page.getByTestId('workers').inputValue(), '2');
    assert.equal(await page.getByTestId('plan-bytes-replicas').count(), 0);
    await trained(page);
    assert.equal(others(page).length, 0);
  }));

test('another number of workers leaves the run that is there', () =>
  onTwoCores({ hash: hashOf({ ...wide, 'training.steps': 20 }) }, async (page) => {
    await planned(page);
    await trained(page);
    const bytes = await number(page, 'plan-bytes-replicas');
    assert.ok(bytes > 0);
    await share(page, 1);
    await page.getByTestId('plan-bytes-replicas').waitFor({ state: 'detached' });
    await page.getByTestId('field-training.steps').fill('30');
    await page.getByTestId('train-on').click();
    await page.waitForFunction(() => document.querySelector('[data-testid=status-step][data-value="30"]'));
    await reaches(page, 'finished');
    assertWhole(await savedCsv(page));
  }));

test('a run that loses a worker goes on without it, and loses no step', () =>
  onTwoCores({ hash: hashOf(unending) }, async (page) => {
    await planned(page);
    await page.getByTestId('train').click();
    await stepPast(page, 20);
    const [lost] = others(page);
    await lost.evaluate(() => self.close());
    const told = page.getByTestId('workers-lost');
    await told.waitFor();
    assert.match(await told.textContent(), /ended it.*Nothing is lost/);
    await stepPast(page, (await number(page, 'status-step')) + 20);
    await page.getByTestId('stop').click();
    await reaches(page, 'stopped');
    assertWhole(await savedCsv(page));

    // The next run has them again.
    await page.getByTestId('train').click();
    await reaches(page, 'running');
    await stepPast(page, 5);
    await told.waitFor({ state: 'detached' });
    assert.equal(others(page).length, 1);
    await page.getByTestId('stop').click();
    await reaches(page, 'stopped');
  }));
