// Where a step's time goes, as measured in the page; and the tilings that outlive a visit.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
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
import { long, trainPast } from './runs.mjs';

const open = (page) => page.getByTestId('profile').locator('summary').click();
const able = async (button) => (await button.getAttribute('aria-disabled')) === 'false';

/** Measures anew, and returns the table's rows. */
async function measure(page) {
  await page.getByTestId('measure').click();
  await page.getByTestId('profiling').waitFor();
  await page.getByTestId('profiling').waitFor({ state: 'detached', timeout: 240_000 });
  await page.getByTestId('profile-result').waitFor();
  return rows(page);
}

const rows = (page) =>
  page.getByTestId('kernel').evaluateAll((all) =>
    all.map((row) => ({
      share: Number(row.dataset.share),
      milliseconds: Number(row.dataset.milliseconds),
      cells: [...row.children].map((cell) => cell.textContent),
    })),
  );

/** Sums, order and units of what is shown. */
async function assertSound(page, kernels) {
  assert.ok(kernels.length > 15, `${kernels.length} kernels`);
  const shares = kernels.map(({ share }) => share);
  assert.deepEqual(
    shares,
    shares.toSorted((a, b) => b - a),
  );
  const near = (a, b) => Math.abs(a - b) < 1e-6 * b;
  assert.ok(
    near(
      1,
      shares.reduce((a, b) => a + b),
    ),
  );
  const step = await number(page, 'profile-step');
  for (const { share, milliseconds, cells } of kernels)
    assert.ok(near(step * share, milliseconds * Number(cells[3])), `${cells}: its share of ${step} ms`);
  for (const best of ['best-gflops', 'best-gigabytes']) assert.ok((await number(page, best)) > 0, best);
  assert.ok(kernels.some(({ cells }) => cells[0] === 'MatMul' && /^N[NT] \d+×\d+×\d+/.test(cells[2])));
}

/** Makes each measurement take so many times as long, so that there is time to end it. */
const slowDown = (page, times) =>
  page.workers()[0].evaluate((times) => {
    const now = performance.now.bind(performance);
    performance.now = () => now() / times;
  }, times);

test('a profile of the CPU beside a paused run, which it leaves alone', () =>
  visit({ gpu: false, hash: hashOf(long) }, async (page) => {
    await planned(page);
    await open(page);
    const button = page.getByTestId('measure');
    await page.getByTestId('train').click();
    await stepPast(page, 3);
    assert.equal(await able(button), false);
    assert.match(await page.getByTestId('profile-said').textContent(), /pause or stop it first/);
    await button.click({ force: true });
    assert.equal(await page.getByTestId('profiling').count(), 0, 'refused while it trains');

    await page.getByTestId('pause').click();
    await reaches(page, 'paused');
    const before = await savedCsv(page);
    const kernels = await measure(page);
    await assertSound(page, kernels);
    assert.equal(await page.getByTestId('profile-result').getAttribute('data-current'), 'true');
    assert.deepEqual(await savedCsv(page), before, 'no point is added or changed');
    assert.equal(await phase(page), 'paused');

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByTestId('save-profile').click(),
    ]);
    const table = (await readFile(await download.path(), 'utf8')).trim().split('\n');
    assert.equal(table.length, kernels.length + 2, 'a head, a row a kernel, and the best');
    assert.equal(new Set(table.map((line) => line.split(',').length)).size, 1);
    assert.match(table[0], /^kernel,label,shape,tiling,times_a_step,milliseconds,share,gflops,/);
    assert.match(table.at(-1), /^best,/);

    // The clock stood: the next step does not take as long as the profile did.
    const step = before.findLast(({ series }) => series === 'train');
    await page.getByTestId('step').click();
    await stepPast(page, step.step);
    const next = (await savedCsv(page)).findLast(({ series }) => series === 'train');
    assert.equal(next.step, step.step + 1);
    const taken = next.seconds - step.seconds;
    assert.ok(taken < 0.05 * kernels.length, `${taken} s`);

    await page.getByTestId('field-model.width').fill('64');
    await page.getByTestId('profile-of').waitFor();
    assert.match(await page.getByTestId('profile-of').textContent(), /: model\.width = 32\.$/);
  }));

test('whatever is asked for ends a measurement', () =>
  visit({ gpu: false, hash: hashOf(long) }, async (page) => {
    await planned(page);
    await open(page);
    await slowDown(page, 20);
    const [begin, said] = [page.getByTestId('measure'), page.getByTestId('profile-said')];
    const ends = async (act) => {
      await begin.click();
      await page.getByTestId('profiling').waitFor();
      await act();
      await page.getByTestId('profiling').waitFor({ state: 'detached' });
      assert.equal(await page.getByTestId('profile-result').count(), 0);
    };
    await ends(() => page.getByTestId('end-profile').click());
    assert.match(await said.textContent(), /was ended/);
    await ends(() => page.getByTestId('field-training.batch_size').fill('5'));
    await planned(page);
    await ends(() => page.getByTestId('train').click());
    await stepPast(page, 1);
  }));

/** No software adapter would choose it by itself. */
const kept = `{ "NT 128×64×32": { "tile": [8, 8], "workgroup": [16, 16], "shared": true, "slices": 1 } }`;
const canonical = JSON.stringify(JSON.parse(kept));

/** What is kept of the first adapter; set first where `tilings` are given. */
async function keptTilings(page, tilings) {
  const name = await page.evaluate(async () => {
    const { info } = await navigator.gpu.requestAdapter();
    return [info.vendor, info.architecture, info.description].filter(Boolean).join(' ').toLowerCase();
  });
  return page.evaluate(
    ([key, tilings]) => {
      if (tilings) localStorage.setItem(key, tilings);
      return localStorage.getItem(key);
    },
    [`trainlab.tilings.${name}`, tilings],
  );
}

test('a profile of the GPU, which was lost before, with the tilings of an earlier visit', () =>
  visit({ gpu: true, hash: hashOf(small) }, async (page) => {
    await planned(page);
    const lose = await deviceLoser(page);
    await keptTilings(page, kept);
    await choose(page, 'gpu');
    await open(page);
    await lose('createComputePipeline');
    await page.getByTestId('measure').click();
    await page.getByTestId('recovered').waitFor();
    // The page plans anew for the device that is back, and that ends it.
    await page.getByTestId('profiling').waitFor({ state: 'detached' });
    const kernels = await measure(page);
    await assertSound(page, kernels);
    const up = kernels.find(({ cells }) => cells[1] === 'blocks.0.mlp.up');
    assert.equal(up.cells[2], 'NT 128×64×328×8 registers, 16×16 invocations, shared');
    assert.equal(await keptTilings(page), canonical, 'as the core writes them');

    await choose(page, 'cpu');
    assert.match(await page.getByTestId('profile-of').textContent(), /: the GPU\.$/);
  }));

test('tilings are kept once a run has begun; a browser that keeps nothing is no obstacle', () =>
  visit({ gpu: true, hash: hashOf(long) }, async (page) => {
    await planned(page);
    await keptTilings(page, kept);
    await choose(page, 'gpu');
    await trainPast(page, 1);
    assert.equal(await keptTilings(page), canonical);

    await page.getByTestId('stop').click();
    await reaches(page, 'stopped');
    await keptTilings(page, kept);
    await page.evaluate(() => {
      Storage.prototype.setItem = () => {
        throw new DOMException('full', 'QuotaExceededError');
      };
    });
    await choose(page, 'gpu');
    await trainPast(page, 1);
    assert.equal(await keptTilings(page), kept);

    await page.evaluate(() => {
      Object.defineProperty(window, 'localStorage', {
        get() {
          throw new DOMException('private', 'SecurityError');
        },
      });
    });
    await page.getByTestId('stop').click();
    await reaches(page, 'stopped');
    await choose(page, 'gpu');
    await trainPast(page, 1);
  }));
