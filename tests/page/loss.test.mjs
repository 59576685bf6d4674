// A GPU that is lost: it is opened again once and the run goes on by itself; then, or where it stays away, on the CPU.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  choose,
  deviceLoser,
  hashOf,
  number,
  phase,
  planned,
  reaches,
  savedCsv,
  small,
  stepPast,
  visit,
} from './reading.mjs';
import { allWritten, assertWhole as assertEach, keptStep, long, points, saved, trainPast } from './runs.mjs';

/** Opens the page on the GPU, with a way to lose it. */
const onGpu = (config, body) =>
  visit({ gpu: true, hash: hashOf(config) }, async (page, errors) => {
    await planned(page);
    const lose = await deviceLoser(page);
    await choose(page, 'gpu');
    await body(page, lose, errors);
  });

async function stop(page) {
  await page.getByTestId('stop').click();
  await reaches(page, 'stopped');
}

/** One curve, and time goes on. */
function assertWhole(rows) {
  assertEach(rows);
  const seconds = rows.filter(({ series }) => series === 'train').map((row) => row.seconds);
  assert.deepEqual(
    seconds,
    seconds.toSorted((a, b) => a - b),
  );
}

test('a run that loses its GPU goes on by itself and ends as one that was never disturbed', () =>
  onGpu({ ...small, 'training.steps': 160, 'evaluation.every': 80 }, async (page, lose) => {
    await page.getByTestId('train').click();
    await reaches(page, 'finished', 240_000);
    const whole = await savedCsv(page);
    const validation = await number(page, 'status-validation-loss');

    await trainPast(page, 20);
    const kept = await keptStep(page);
    await page.getByTestId('pause').click();
    const before = await stepPast(page, kept + 3);
    await lose();
    const told = page.getByTestId('recovered');
    await told.waitFor();
    assert.ok(before > kept);
    assert.match(
      await told.textContent(),
      new RegExp(`lost \\(.*goes on from step ${kept}, where .*; the \\d+ steps since then are done again`),
    );
    await reaches(page, 'finished', 240_000);
    const mended = await savedCsv(page);
    assertWhole(mended);
    for (const series of ['train', 'validation'])
      assert.deepEqual(points(mended, series), points(whole, series), `${series}, bit for bit`);
    assert.equal(await number(page, 'status-validation-loss'), validation);
    const samples = page.getByTestId('sample');
    const taken = await samples.evaluateAll((all) => all.map(({ dataset }) => Number(dataset.step)));
    assert.deepEqual(
      taken,
      [160, 150, 75, 0].filter((step) => taken.includes(step)),
      'no sample twice',
    );
    await told.getByRole('button', { name: /^Put away/ }).click();
    await told.waitFor({ state: 'detached' });

    // What is stored is the same: steps that were done again are there once.
    await allWritten(page);
    await page.reload();
    await page.getByTestId('view-runs').click();
    const { runs } = JSON.parse((await saved(page, 'save-experiment')).bytes);
    for (const { train, state } of runs) {
      assert.deepEqual(
        train.step,
        Array.from(train.step, (_, index) => index + 1),
        state,
      );
      assert.deepEqual(
        train.loss,
        points(whole, 'train').map(([, loss]) => loss),
      );
    }
  }));

test('a second loss offers the CPU, and the run goes on there from where it was saved', () =>
  onGpu(long, async (page, lose) => {
    await trainPast(page, 3);
    const first = await keptStep(page);
    await page.getByTestId('pause').click();
    await stepPast(page, first + 2);
    await lose();
    await page.getByTestId('recovered').waitFor();
    await stepPast(page, first + 2);
    await page.getByTestId('pause').click();
    await reaches(page, 'paused');
    const kept = await keptStep(page, first + 1);
    await page.getByTestId('pause').click();
    await stepPast(page, kept + 2);

    for (const device of ['gpu', 'cpu']) {
      await lose();
      await reaches(page, 'lost');
      assert.equal(await page.getByTestId('recovered').count(), 0);
      assert.match(
        await page.getByTestId('lost').textContent(),
        new RegExp(`last saved at step ${kept.toLocaleString('en')};`),
      );
      await page.getByTestId(`go-on-${device}`).click();
      await page.locator(`[data-testid=device][data-kind=${device}]`).waitFor();
      await reaches(page, 'running');
      await stepPast(page, kept + 2);
      assert.equal(await page.getByTestId('lost').count(), 0);
    }
    await stop(page);
    assertWhole(await savedCsv(page));
  }));

test('where the browser gives no files, a run goes on from memory, or from its first step', () =>
  onGpu(long, async (page, lose) => {
    await page.workers()[0].evaluate(() => {
      StorageManager.prototype.getDirectory = () =>
        Promise.reject(new DOMException('private', 'SecurityError'));
    });
    const told = page.getByTestId('recovered');
    await trainPast(page, 3);
    // Told once it is in memory; its step is that of the record, which the status line follows a moment later.
    await page.getByTestId('not-kept').waitFor();
    const paused = points(await savedCsv(page), 'train').at(-1)[0];
    await page.getByTestId('pause').click();
    await stepPast(page, paused + 2);
    await lose();
    const from = paused.toLocaleString('en');
    await told.filter({ hasText: `goes on from step ${from}, where it was last saved` }).waitFor();
    await stepPast(page, paused + 2);
    await stop(page);
    assertWhole(await savedCsv(page));

    await page.getByTestId('train').click();
    await reaches(page, 'running');
    assert.equal(await told.count(), 0, 'another run');
    await stepPast(page, 3);
    await lose();
    await told.filter({ hasText: 'begins again at its first step' }).waitFor();
    await stepPast(page, 1);
    await stop(page);
    assertWhole(await savedCsv(page));
  }));

test('where the GPU stays away, the CPU is offered at once', () =>
  onGpu(long, async (page, lose) => {
    await trainPast(page, 3);
    const kept = await keptStep(page);
    await page.workers()[0].evaluate(() => {
      GPU.prototype.requestAdapter = () => Promise.resolve(null);
    });
    await page.getByTestId('pause').click();
    await lose();
    await reaches(page, 'lost');
    assert.match(await page.getByTestId('lost').textContent(), /lost .*could not be opened again: no GPU/);
    await page.getByTestId('go-on-gpu').click();
    await page.getByTestId('device-refusal').waitFor();
    await reaches(page, 'lost');
    await page.getByTestId('go-on-cpu').click();
    await reaches(page, 'running');
    await stepPast(page, kept + 2);
    await stop(page);
    assertWhole(await savedCsv(page));
  }));

test('a loss while nothing trains is made good when the device is needed', () =>
  onGpu({ ...long, 'training.steps': 150 }, async (page, lose) => {
    const told = page.getByTestId('recovered');
    // Before the run.
    await lose();
    await trainPast(page, 2);
    const paused = await keptStep(page);

    // In a pause: the step that follows is the next one.
    await lose();
    await page.getByTestId('step').click();
    await told.filter({ hasText: `goes on from step ${paused}; nothing is lost` }).waitFor();
    assert.equal(await stepPast(page, paused), paused + 1);
    assert.equal(await phase(page), 'paused');
    await stop(page);

    // Once it has ended: its weights are there to be sampled.
    await page.getByTestId('train').click();
    await reaches(page, 'finished');
    await keptStep(page, 150);
    await page.getByTestId('ask-prompt').fill('The owl');
    await lose();
    await page.getByTestId('ask').click();
    const asked = page.locator('[data-testid=sample]', { hasText: 'The owl' });
    await asked.waitFor();
    assert.equal(await asked.getAttribute('data-step'), '150');
    await told.waitFor();
    assert.equal(await phase(page), 'finished');
    assertWhole(await savedCsv(page));
  }));

for (const [when, method, label] of [
  ['kernels are compiled', 'createComputePipeline'],
  ['it validates', 'createBuffer', 'read'],
])
  test(`a loss while ${when} is made good`, () =>
    onGpu({ ...small, 'training.steps': 10 }, async (page, lose) => {
      await lose(method, label);
      await page.getByTestId('train').click();
      await reaches(page, 'finished', 120_000);
      const rows = await savedCsv(page);
      assertWhole(rows);
      assert.deepEqual(
        points(rows, 'validation').map(([step]) => step),
        [0, 10],
      );
    }));

test('a loss while the run is saved, or sampled, is made good', () =>
  onGpu(long, async (page, lose) => {
    const told = page.getByTestId('recovered');
    await page.getByTestId('train').click();
    const step = await stepPast(page, 3);
    await lose('createBuffer', 'read');
    await page.getByTestId('pause').click();
    await told.waitFor();
    // The steps that were lost are done again, and then it is saved.
    await stepPast(page, step - 1);
    assert.equal(await phase(page), 'paused');
    await stop(page);
    await keptStep(page, step);
    assertWhole(await savedCsv(page));

    await trainPast(page, 3);
    const paused = await keptStep(page);
    await lose('createBuffer', 'read');
    await page.getByTestId('ask').click();
    await page.getByTestId('sample').first().waitFor();
    await told.waitFor();
    assert.equal(await number(page, 'status-step'), paused);
    assert.equal(await phase(page), 'paused');
    await stop(page);
  }));
