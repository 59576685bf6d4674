// Is the context used? What the Length view finds out about the present run, and how it goes on with a longer context.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitsPhone, hashOf, planned, reaches, small, stepPast, visit } from './reading.mjs';
import { long, saved } from './runs.mjs';

const asked = { ...small, 'training.steps': 40, 'model.position': 'rope', 'schedule.context_start': 8 };
const short = { ...asked, 'schedule.context_warmup_steps': 10 };

const view = (page, name) => page.getByTestId(`view-${name}`).click();
const said = (page, what) => page.getByTestId(`use-${what}-said`);

async function trained(page) {
  await planned(page);
  await page.getByTestId('train').click();
  await reaches(page, 'finished', 120_000);
  await view(page, 'length');
}

async function tableOf(page, testid) {
  const { name, bytes } = await saved(page, testid);
  const [head, ...rows] = bytes.toString().trim().split('\n');
  const names = head.split(',');
  return {
    name,
    rows: rows.map((row) => Object.fromEntries(row.split(',').map((cell, i) => [names[i], cell]))),
  };
}

test('the loss by position, other lengths and induction of a run that is done', () =>
  visit({ gpu: false, hash: hashOf(short) }, async (page) => {
    await trained(page);
    // Buckets of 32 positions: 1, 2, 3–4, 5–8, 9–16, 17–32.
    await page.getByTestId('use-positions-plot').locator('svg.figure').waitFor();
    assert.equal(await page.getByTestId('use-positions-plot').locator('.point').count(), 6);
    const positions = await tableOf(page, 'use-positions-csv');
    assert.deepEqual(
      positions.rows.map((row) => Number(row.last_position)),
      [1, 2, 4, 8, 16, 32],
    );
    for (const [i, row] of positions.rows.entries()) {
      assert.ok(row.bits_per_byte > 0 && row.standard_error > 0, `bucket ${i}`);
      if (i > 0)
        assert.ok(Math.abs(positions.rows[i - 1].bits_per_byte - row.bits_per_byte - row.gain) < 1e-9);
    }

    await page.getByTestId('use-lengths').click();
    await page.getByTestId('use-lengths-plot').waitFor({ timeout: 120_000 });
    assert.match(await said(page, 'lengths').textContent(), /5 lengths are measured, after step 40/);
    const lengths = await tableOf(page, 'use-lengths-csv');
    const whole = lengths.rows.filter((row) => row.last_position === '');
    assert.deepEqual(
      whole.map((row) => Number(row.length)),
      [8, 16, 32, 64, 128],
    );
    assert.equal(new Set(whole.map((row) => row.tokens)).size, 1, 'the same text at each length');
    const trainedAt = lengths.rows.filter((row) => row.length === '32' && row.last_position !== '');
    for (const [i, row] of trainedAt.entries())
      assert.ok(Math.abs(row.bits_per_byte - positions.rows[i].bits_per_byte) < 1e-5, 'as validated');
    const [picture] = await Promise.all([
      page.waitForEvent('download'),
      page.getByTestId('use-lengths-plot-svg').click(),
    ]);
    assert.equal(picture.suggestedFilename(), 'trainlab-loss-by-evaluation-length.svg');

    await page.getByTestId('use-induction').click();
    await page.getByTestId('use-induction-plot').waitFor({ timeout: 120_000 });
    const induction = await tableOf(page, 'use-induction-csv');
    assert.deepEqual(
      induction.rows.map((row) => Number(row.distance)),
      [4, 8, 16],
    );
    assert.match(await said(page, 'induction').textContent(), /second telling is predicted/);

    await fitsPhone(page);
  }));

test('attention is looked at, by pointer and by keyboard, in both schemes', () =>
  visit({ gpu: false, hash: hashOf(short) }, async (page) => {
    await trained(page);
    await page.getByTestId('use-prompt').fill('The cat sat.');
    await page.getByTestId('use-attention').click();
    const canvas = page.getByTestId('use-map-canvas');
    await canvas.waitFor({ timeout: 120_000 });
    assert.match(await said(page, 'attention').textContent(), /12 tokens are read, after step 40/);
    const heads = await tableOf(page, 'use-attention-csv');
    assert.equal(heads.rows.length, 2);
    for (const row of heads.rows) {
      assert.ok(
        row.distance >= 0 && row.distance < 11 && Number(row.uniform_distance) === 2.75,
        row.distance,
      );
    }

    const about = page.getByTestId('use-map-said');
    // As large as it will be: its width is known after the page has been painted.
    await page.waitForFunction((canvas) => canvas.clientWidth > 100, await canvas.elementHandle());
    await canvas.focus();
    await page.keyboard.press('ArrowUp');
    assert.match(await about.textContent(), /“t” \(token 11\) gives “t” \(token 11\), 0 back/);
    await page.keyboard.press('Home');
    assert.match(await about.textContent(), /gives “T” \(token 1\), 10 back, [\d.]+% of its attention/);
    const box = await canvas.boundingBox();
    await page.mouse.move(box.x + box.width - 3, box.y + 3);
    await about.filter({ hasText: '“T” (token 1) does not see what comes after it' }).waitFor();
    await page.getByTestId('use-head').selectOption({ label: 'Layer 1, head 2' });
    // It is drawn a frame later; this waits for more than one.
    await canvas.scrollIntoViewIfNeeded();
    const pixels = () => canvas.evaluate((canvas) => canvas.toDataURL());
    const light = await pixels();
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.waitForFunction(
      ([canvas, light]) => canvas.toDataURL() !== light,
      [await canvas.elementHandle(), light],
    );

    await fitsPhone(page);
  }));

test('what stands in the way is said, and a measurement can be ended', () =>
  visit({ gpu: false, hash: hashOf({ ...long, 'evaluation.final_bytes': 60000 }) }, async (page) => {
    await planned(page);
    await view(page, 'length');
    assert.match(await said(page, 'lengths').textContent(), /There is no model yet/);
    await page.getByTestId('use-no-positions').waitFor();
    await view(page, 'train');
    await page.getByTestId('train').click();
    await stepPast(page, 3);
    await view(page, 'length');
    assert.match(await said(page, 'lengths').textContent(), /A run is training/);
    await page.getByTestId('use-lengths').click({ force: true });
    await view(page, 'train');
    await page.getByTestId('pause').click();
    await reaches(page, 'paused');
    await view(page, 'length');
    await page.getByTestId('use-lengths').click();
    // It may be done by then, and the button with it.
    await page.getByTestId('use-lengths-end').click({ force: true });
    await page.waitForFunction(() =>
      /ended before it was done|lengths are measured/.test(
        document.querySelector('[data-testid=use-lengths-said]').textContent,
      ),
    );
    // Learned positions end with the context.
    assert.match(await page.getByTestId('use-extend-said').textContent(), /cannot be lengthened/);
    await page.getByTestId('use-lengths').click();
    await page.getByTestId('use-lengths-plot').waitFor({ timeout: 120_000 });
    assert.match(
      await page.getByTestId('use-length-refused').first().textContent(),
      /64 tokens: .*at most model\.context \(32\) with model\.position learned/,
    );
  }));

test('a run goes on with a longer context', () =>
  visit({ gpu: false, hash: hashOf(short) }, async (page) => {
    await trained(page);
    await page.getByTestId('use-lengths').click();
    await page.getByTestId('use-lengths-plot').waitFor({ timeout: 120_000 });
    await page.getByTestId('use-extend-steps').fill('20');
    await page.getByTestId('use-extend-steps').press('Tab');
    await page.getByTestId('use-extend-go').click();
    await view(page, 'train');
    // From the parameters of the first, and so not from the loss of a model that knows nothing.
    await page.waitForFunction(
      () => Number(document.querySelector('[data-testid=status-step]')?.dataset.value) === 20,
    );
    await reaches(page, 'finished', 120_000);
    await view(page, 'length');
    const positions = await tableOf(page, 'use-positions-csv');
    assert.equal(Number(positions.rows.at(-1).last_position), 64);
    assert.match(await said(page, 'lengths').textContent(), /The run has gone on or is another since then/);
    await view(page, 'runs');
    assert.equal(await page.getByTestId('run-row').count(), 2);
  }));
