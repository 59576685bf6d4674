// Sweeps: made, run, interrupted in every way, gone on with, taken away and brought back.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { hashOf, planned, small, visit } from './reading.mjs';

/** A fraction of a second on an idle processor. */
const tiny = {
  ...small,
  'data.text_bytes': 20000,
  'model.width': 16,
  'model.hidden': 16,
  'model.context': 16,
  'training.steps': 20,
  'evaluation.every': 10,
  'evaluation.bytes': 1024,
  'evaluation.sample_every': 0,
};

/** Long enough to be caught in the middle. */
const lasting = { ...tiny, 'training.steps': 4000, 'evaluation.every': 1000 };

/** Never done before its test is. */
const lastingLonger = { ...lasting, 'training.steps': 100000 };

/** Notes where runs begin, in whatever worker. */
const noteStarts = (page) =>
  page.addInitScript(() => {
    self.starts = [];
    self.Worker = class extends Worker {
      constructor(...given) {
        super(...given);
        this.addEventListener('message', ({ data }) => {
          if (data.type === 'started') self.starts.push({ run: data.run, from: data.from });
        });
      }
    };
  });

const startsOf = (page) => page.evaluate(() => self.starts);

async function openSweeps(page) {
  await planned(page);
  await page.getByTestId('view-sweeps').click();
}

/** Two activations, two seeds. */
async function make(page, name, { workers = 1, seeds = 2 } = {}) {
  await page.getByTestId('new-sweep').click();
  await page.getByTestId('draft-name').fill(name);
  await page.getByTestId('add-option').selectOption('model.activation');
  for (const value of ['relu', 'swiglu']) await page.getByTestId(`tick-model.activation-${value}`).check();
  await page.getByTestId('draft-seeds').fill(String(seeds));
  await page.getByTestId('draft-seeds').blur();
  await page.getByTestId('draft-workers').selectOption(String(workers));
  await page.locator(`[data-testid=preview][data-runs="${2 * seeds}"]`).waitFor();
  await page.getByTestId('start-sweep').click();
}

const sweepIs = (page, state) =>
  page.locator(`[data-testid=sweep-page][data-state=${state}]`).waitFor({ timeout: 120_000 });

const states = (page) =>
  page.getByTestId('member').evaluateAll((rows) => rows.map(({ dataset }) => dataset.state));

const memberIs = (page, index, state) =>
  page.waitForFunction(
    ([index, state]) =>
      document.querySelectorAll('[data-testid=member]')[index]?.dataset.state === state &&
      (state !== 'running' ||
        Number(document.querySelectorAll('[data-testid=member]')[index].dataset.step) > 0),
    [index, state],
  );

async function saved(page, testid) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId(testid).click()]);
  return readFile(await download.path(), 'utf8');
}

/** By a run's name, what does not depend on the clock. */
async function figures(page) {
  const { runs } = JSON.parse(await saved(page, 'sweep-json'));
  return Object.fromEntries(
    runs.map(({ name, state, results: { seconds: _, tokens_per_second: __, ...results } }) => [
      name,
      { state, ...results },
    ]),
  );
}

/** As it stands in the database. */
const stored = (page, run) =>
  page.evaluate(async (run) => {
    const request = indexedDB.open('trainlab');
    const db = await new Promise((resolve) => {
      request.onsuccess = () => resolve(request.result);
    });
    const get = db.transaction('runs').objectStore('runs').get(run);
    const head = await new Promise((resolve) => {
      get.onsuccess = () => resolve(get.result);
    });
    db.close();
    return head;
  }, run);

const keptStep = async (page, run) => (await stored(page, run))?.weights?.step ?? 0;

/** Where it is saved, once that is past `step`. */
async function keptPast(page, run, step) {
  const until = Date.now() + 60_000;
  for (let kept = 0; Date.now() < until; kept = await keptStep(page, run)) if (kept > step) return kept;
  throw new Error(`the run is not saved past step ${step}`);
}

async function sweepWorkers(page) {
  const named = await Promise.all(
    page.workers().map(async (worker) => [await worker.evaluate(() => self.name).catch(() => ''), worker]),
  );
  return named.filter(([name]) => name.startsWith('sweep')).map(([, worker]) => worker);
}

test('a sweep runs through; one that was cut off in the middle comes to the same', () =>
  visit({ gpu: false, hash: hashOf(lasting) }, async (page) => {
    await planned(page);
    await noteStarts(page);
    await page.reload();
    await openSweeps(page);
    await make(page, 'Through', { workers: 2 });
    await sweepIs(page, 'done');
    const through = await figures(page);
    assert.equal(Object.keys(through).length, 4);
    for (const { state, step, bits_per_byte } of Object.values(through)) {
      assert.deepEqual([state, step], ['finished', 4000]);
      assert.ok(bits_per_byte > 0 && bits_per_byte < 8, `${bits_per_byte}`);
    }
    const finals = Object.values(through).map(({ bits_per_byte }) => bits_per_byte);
    assert.equal(new Set(finals).size, 4, 'seeds and options make a difference');
    await page.getByTestId('group').nth(1).waitFor();
    assert.equal(await page.getByTestId('group').count(), 2);
    assert.match(await saved(page, 'sweep-csv'), /^name,state,.*model\.activation.*bits_per_byte/);

    // The same again, and the page goes away in the middle of the second run.
    await page.getByTestId('duplicate-sweep').click();
    await page.getByTestId('draft-workers').selectOption('1');
    await page.locator('[data-testid=preview][data-runs="4"]').waitFor();
    await page.getByTestId('start-sweep').click();
    await memberIs(page, 1, 'running');
    const run = await page.getByTestId('member').nth(1).getAttribute('data-run');
    await page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { value: true, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    });
    const kept = await keptPast(page, run, 0);
    await page.reload();
    await sweepIs(page, 'paused');
    assert.deepEqual(await startsOf(page), [], 'nothing goes on by itself');
    assert.deepEqual(await states(page), ['finished', 'paused', 'waiting', 'waiting']);

    // Paused and gone on with once more.
    await page.getByTestId('go-sweep').click();
    await page.waitForFunction(() => self.starts.length > 0);
    const [first] = await startsOf(page);
    assert.equal(first.run, run);
    assert.ok(first.from >= kept && kept > 0, `from ${first.from}, kept at ${kept}`);
    await page.getByTestId('pause-sweep').click();
    await sweepIs(page, 'paused');
    const stands = await keptPast(page, run, first.from);
    await page.getByTestId('go-sweep').click();
    await sweepIs(page, 'done');
    const starts = (await startsOf(page)).slice(1);
    assert.deepEqual(starts[0], { run, from: stands });
    assert.equal(starts.length, 3, 'runs that were done are not done again');
    assert.deepEqual(await figures(page), through);
    const { rows } = await stored(page, run);
    assert.deepEqual(rows, { train: 4000, validation: 5 }, 'every point is there once');

    await page.getByTestId('delete-sweep').click();
    await page.getByTestId('delete-sweep').click();
    await page.getByTestId('sweep-page').waitFor({ state: 'detached' });
    assert.equal(await page.getByTestId('sweep').count(), 1);
  }));

test('skipped, broken down and stopped runs; another tab', () =>
  visit({ gpu: false, hash: hashOf(lastingLonger), prepare: noteStarts }, async (page, errors) => {
    await openSweeps(page);
    await make(page, 'Troubled', { workers: 1 });
    await memberIs(page, 0, 'running');

    const [popup] = await Promise.all([
      page.waitForEvent('popup'),
      page.evaluate(() => void window.open(location.href)),
    ]);
    await popup.getByTestId('sweep').click();
    await popup.getByTestId('sweeps-elsewhere').waitFor();
    assert.match(await popup.getByTestId('sweep-said').textContent(), /running in another tab/);
    await popup.getByTestId('stop-sweep').click({ force: true });
    assert.equal(await popup.getByTestId('skip-run').count(), 0);
    await popup.close();
    assert.deepEqual(await states(page), ['running', 'waiting', 'waiting', 'waiting']);

    await page.getByTestId('skip-run').nth(3).click();
    await page.getByTestId('skip-run').first().click();
    await memberIs(page, 0, 'skipped');
    await memberIs(page, 1, 'running');
    assert.deepEqual(await states(page), ['skipped', 'running', 'waiting', 'skipped']);

    // With a word, then without one: the run goes on in another worker, and fails the second time.
    const ends = [() => setTimeout(() => Promise.reject(new Error('boom'))), () => self.close()];
    const [worker] = await sweepWorkers(page);
    await worker.evaluate(ends[1]);
    await page.getByTestId('member').nth(1).getByText('The browser ended').waitFor();
    await memberIs(page, 1, 'running');
    // The third start: until then the steps are those in the worker before.
    await page.waitForFunction(() => self.starts.length === 3);
    const [another] = await sweepWorkers(page);
    assert.notEqual(another, worker);
    // The browser tells of it by another way than the page does.
    const told = page.waitForEvent('pageerror');
    await another.evaluate(() =>
      setTimeout(() => {
        throw new Error('boom');
      }),
    );
    await memberIs(page, 1, 'failed');
    assert.match(await page.getByTestId('member').nth(1).textContent(), /boom/);
    await told;
    assert.ok(errors.splice(0).every((error) => error.includes('boom')));
    await memberIs(page, 2, 'running');

    await page.getByTestId('retry-run').nth(1).click();
    assert.deepEqual(await states(page), ['skipped', 'paused', 'running', 'skipped']);
    await page.getByTestId('stop-sweep').click();
    await sweepIs(page, 'done');
    assert.deepEqual(await states(page), ['skipped', 'skipped', 'skipped', 'skipped']);
    await page.getByTestId('retry-run').first().click();
    await sweepIs(page, 'paused');
  }));

test('files, problems and budgets', () =>
  visit({ gpu: false, hash: hashOf(tiny) }, async (page, errors) => {
    const choose = (text) =>
      page
        .getByTestId('import-sweep')
        .setInputFiles({ name: 'sweep.yaml', mimeType: 'application/yaml', buffer: Buffer.from(text) });
    const preview = async (said) => {
      await page.getByTestId('preview').getByText(said).waitFor();
      return (await page.getByTestId('maker').locator('.preview-runs').allTextContents()).join();
    };
    await openSweeps(page);
    await page.getByTestId('new-sweep').click();
    await page.getByTestId('draft-name').fill('Equal text');
    await page.getByTestId('add-option').selectOption('training.batch_size');
    const values = page.getByTestId('values-training.batch_size');
    await values.fill('2, 0');
    await page.getByTestId('sweep-problem').waitFor();
    assert.match(await page.getByTestId('sweep-problem').textContent(), /training\.batch_size.*0/);
    await page.getByTestId('start-sweep').click({ force: true });
    assert.equal(await page.getByTestId('sweep').count(), 0, 'nothing begins that cannot be done');
    await values.fill('2, 4');
    await page.getByTestId('draft-seeds').fill('1');
    await page.getByTestId('draft-seeds').blur();
    await page.getByTestId('draft-budget').selectOption('tokens');
    await page.getByTestId('draft-amount').fill('640');
    await page.getByTestId('draft-amount').blur();
    assert.match(await preview(/^2 runs, .*FLOP in all/), /20 steps.*10 steps/);
    await page.getByTestId('keep-sweep').click();
    await sweepIs(page, 'ready');
    const file = await saved(page, 'sweep-yaml');
    assert.match(file, /budget\.tokens:\n\s+value: 640/);
    assert.match(file, /training\.batch_size:\n\s+values:\n?\s+.*2/);

    // Those that come with the page, in the core's words without a problem.
    // Never two of as many runs after each other: those before are shown until the next are worked out.
    for (const [index, runs] of [
      [0, 12],
      [1, 18],
      [2, 15],
      [4, 10],
      [3, 15],
    ]) {
      await page.getByTestId('ready').nth(index).click();
      await page.locator(`[data-testid=preview][data-runs="${runs}"]`).waitFor();
      assert.equal(await page.getByTestId('sweep-problem').count(), 0);
    }

    await choose(file);
    await preview(/^2 runs/);
    assert.equal(await saved(page, 'save-draft'), file);
    // Numbers that YAML's older readers would take for words.
    await choose(file.replace('budget.tokens:', 'optimizer.epsilon: {value: 1.0e-9}\n  budget.tokens:'));
    await page.getByTestId('draft-constants').getByText('optimizer.epsilon = 1e-9').waitFor();
    assert.match(await saved(page, 'save-draft'), /value: 1\.0e-9/);
    const refusal = page.getByTestId('import-refusal');
    await choose('method: bayes\nparameters: {training.seed: {values: [1, 2]}}');
    assert.match(await refusal.textContent(), /method.*noise/);
    await choose('parameters: [');
    await refusal.getByText('line 1').waitFor();
    await page.getByTestId('put-away').click();

    await page.getByTestId('go-sweep').click();
    await sweepIs(page, 'done');
    const equal = Object.values(await figures(page));
    assert.deepEqual(
      equal.map(({ state, step, tokens }) => [state, step, tokens]),
      [
        ['finished', 20, 640],
        ['finished', 10, 640],
      ],
    );

    // Time is tried out before the first run begins.
    await page.getByTestId('duplicate-sweep').click();
    await page.getByTestId('draft-budget').selectOption('seconds');
    await page.getByTestId('draft-amount').fill('0.5');
    await page.getByTestId('draft-amount').blur();
    await preview(/^2 runs of 0\.5 s each/);
    await page.getByTestId('start-sweep').click();
    // Until then the sweep before is shown, which is done.
    await page.getByTestId('maker').waitFor({ state: 'detached' });
    await sweepIs(page, 'done');
    const timed = Object.values(await figures(page));
    assert.ok(
      timed.every(({ state, step }) => state === 'finished' && step > 20),
      JSON.stringify(timed),
    );
    assert.deepEqual(errors, []);
  }));
