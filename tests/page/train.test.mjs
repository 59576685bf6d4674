// Press Train and see it learn, on both devices, with the same curves.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  choose,
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

/** Trains to the end and returns every point of the run. */
async function trainOn(page, device, steps) {
  await choose(page, device);
  const unigram = await number(page, 'plan-unigram-loss');
  assert.ok(unigram > 1 && unigram < 5, `unigram loss ${unigram} nats per token`);
  await page.getByTestId('train').click();
  await reaches(page, 'finished', 240_000);
  assert.equal(await stepPast(page, steps - 1), steps);

  const held = await number(page, 'status-validation-loss');
  assert.ok(
    held < unigram - 0.1,
    `${device}: validation loss ${held} against the unigram line at ${unigram}`,
  );
  assert.ok((await number(page, 'status-loss')) < unigram, `${device}: train loss`);
  assert.ok((await number(page, 'status-tokens-per-second')) > 0);

  const rows = await savedCsv(page);
  const train = rows.filter((row) => row.series === 'train');
  const validation = rows.filter((row) => row.series === 'validation');
  assert.deepEqual(
    train.map((row) => row.step),
    Array.from({ length: steps }, (_, index) => index + 1),
    'a point for every step, none dropped',
  );
  assert.deepEqual(
    validation.map((row) => row.step),
    [0, 50, 100, 150],
  );
  assert.ok(validation[0].loss > unigram, 'before training it knows less than the unigram line');
  assert.equal(rows.at(-1).series, 'unigram');
  assert.equal(rows.at(-1).loss, unigram);
  for (const row of [train.at(-1), validation.at(-1)]) {
    const tokensPerByte = (row.bits_per_byte * Math.LN2) / row.loss;
    assert.ok(tokensPerByte > 0.9 && tokensPerByte < 1.1, `${tokensPerByte} characters per byte`);
  }
  // Drawing follows the news.
  await page.locator(`[data-testid=chart-loss][data-points="${steps + 1}"]`).waitFor();
  return { train, validation };
}

test('both devices learn, and their curves agree', () =>
  visit({ gpu: true, hash: hashOf(small) }, async (page) => {
    await planned(page);
    const cpu = await trainOn(page, 'cpu', small['training.steps']);
    const gpu = await trainOn(page, 'gpu', small['training.steps']);
    // Rounding differs between the devices and grows with the steps; the start must agree closely.
    for (const [index, row] of cpu.train.slice(0, 20).entries()) {
      const other = gpu.train[index].loss;
      assert.ok(Math.abs(row.loss - other) < 2e-3, `step ${row.step}: CPU ${row.loss}, GPU ${other}`);
    }
    const [last, other] = [cpu.validation.at(-1).loss, gpu.validation.at(-1).loss];
    assert.ok(Math.abs(last - other) < 0.05, `at the end: CPU ${last}, GPU ${other}`);
  }));

test('samples come by themselves and when asked for', () =>
  visit(
    {
      gpu: false,
      hash: hashOf({ ...small, 'evaluation.prompt': 'One+day' }),
    },
    async (page) => {
      await planned(page);
      await page.getByTestId('train').click();
      await reaches(page, 'finished', 120_000);
      const samples = page.getByTestId('sample');
      const first = await samples.first().getAttribute('data-step');
      assert.equal(first, '150', 'the newest is on top');
      assert.equal(await samples.first().locator('.prompt').textContent(), 'One day');
      assert.ok((await samples.first().locator('.continuation').textContent()).length >= 8);

      const before = await samples.count();
      await page.getByTestId('ask-prompt').fill('The cat');
      await page.getByTestId('ask').click();
      await page.locator('[data-testid=sample] .prompt', { hasText: 'The cat' }).waitFor();
      assert.equal(await samples.count(), before + 1);
      assert.equal(await phase(page), 'finished');
    },
  ));
