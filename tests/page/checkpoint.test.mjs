// Runs as files: gone on with as if they had never stopped.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf, number, phase, planned, reaches, savedCsv, small, stepPast, visit } from './reading.mjs';
import { comeBack, drop, keptStep, long, points, saved, trainPast } from './runs.mjs';

const lines = Array.from({ length: 400 }, (_, i) => `Line ${i}: the owl reads ${i * 7} books.`).join('\n');

async function savedRun(page) {
  const { name, bytes } = await saved(page, 'save-run');
  return { name, mimeType: 'application/octet-stream', buffer: bytes };
}

const stepOf = ({ name }) => Number(name.match(/^trainlab-step-(\d+)\.safetensors$/)[1]);

const steps = 4000;
/** Long enough to be saved on its way. */
const steady = {
  ...small,
  'training.steps': steps,
  'evaluation.every': 500,
  'evaluation.sample_every': 1000,
};

test('a saved run, loaded after a reload, ends as the one that never stopped', () =>
  visit({ gpu: false, hash: hashOf(steady) }, async (page) => {
    await planned(page);
    assert.equal(await page.getByTestId('save-run').getAttribute('aria-disabled'), 'true', 'nothing to save');
    await page.getByTestId('train').click();
    await stepPast(page, 20);
    // In the middle of training: it goes on.
    const file = await savedRun(page);
    const step = stepOf(file);
    assert.ok(step > 20 && step < steps, `saved at ${step}`);
    await reaches(page, 'finished', 120_000);
    const whole = await savedCsv(page);
    assert.equal(stepOf(await savedRun(page)), steps, 'a finished run can be saved too');

    await comeBack(page);
    assert.equal(
      (await page.getByTestId('field-training.steps').inputValue()) === String(steps),
      false,
      'other settings',
    );
    await page.getByTestId('run-file').setInputFiles(file);
    await reaches(page, 'paused');
    assert.equal(await number(page, 'status-step'), step);
    assert.equal(
      await page.getByTestId('field-training.steps').inputValue(),
      String(steps),
      'its own settings',
    );
    await page.waitForFunction(() => location.hash.includes('training.steps='));
    await page.getByTestId('pause').click();
    await reaches(page, 'finished', 120_000);
    const rest = await savedCsv(page);
    assert.deepEqual(points(rest, 'train'), points(whole, 'train').slice(step), 'bit for bit');
    assert.deepEqual(points(rest, 'validation').at(-1), points(whole, 'validation').at(-1));

    await page.goBack();
    await page.waitForFunction(() => location.hash === '');
  }));

test('files that are no checkpoint are refused with a reason, and nothing is lost', () =>
  visit({ gpu: false, hash: hashOf(long) }, async (page) => {
    await planned(page);
    await trainPast(page, 5);
    const file = await savedRun(page);
    const refusal = page.getByTestId('file-refused');

    await drop(page, file.name, file.buffer);
    await refusal.waitFor();
    assert.match(await refusal.textContent(), /run is live.*Stop it first/);
    await page.getByTestId('stop').click();
    await reaches(page, 'stopped');
    const before = await number(page, 'status-step');

    const size = file.buffer.length;
    const noise = Buffer.from(file.buffer);
    noise.fill(0xee, 0, 8);
    const spoilt = Buffer.from(file.buffer);
    spoilt.writeFloatLE(Number.NaN, size - 4);
    const bad = [0, 4, 8, 100, size / 2, size - 1].map((cut) => file.buffer.subarray(0, cut));
    for (const buffer of [...bad, noise, spoilt, Buffer.from('A text that calls itself a run.')]) {
      await refusal.getByRole('button', { name: /^Put away/ }).click();
      await refusal.waitFor({ state: 'detached' });
      await page.getByTestId('run-file').setInputFiles({ ...file, buffer });
      await refusal.waitFor();
      assert.match(
        await refusal.textContent(),
        /Checkpoint is unusable: .*a safetensors file that trainlab saved/,
      );
      assert.equal(await number(page, 'status-step'), before);
      assert.equal(await phase(page), 'stopped');
    }
    // The weights from before are still there.
    await page.getByTestId('ask').click();
    await page.getByTestId('sample').first().waitFor();

    await drop(page, file.name, file.buffer);
    await reaches(page, 'paused');
    assert.equal(await refusal.count(), 0);
    assert.equal(await number(page, 'status-step'), stepOf(file));
    await page.getByTestId('step').click();
    assert.equal(await stepPast(page, stepOf(file)), stepOf(file) + 1);
  }));

test('a run on own text needs that text', () =>
  visit({ gpu: false, hash: hashOf({ ...long, 'data.corpus': 'own' }) }, async (page) => {
    await page.getByTestId('own-text').fill(lines);
    await planned(page);
    await trainPast(page, 5);
    const file = await savedRun(page);
    const kept = await keptStep(page);

    await comeBack(page);
    const refusal = page.getByTestId('file-refused');
    await page.getByTestId('run-file').setInputFiles(file);
    await refusal.filter({ hasText: 'Choose or drop that text first' }).waitFor();
    await drop(page, 'other.txt', Buffer.from(lines.toUpperCase()));
    await page.getByTestId('own-text-state').filter({ hasText: 'other.txt' }).waitFor();
    await page.getByTestId('run-file').setInputFiles(file);
    await refusal.filter({ hasText: 'Make sure that other.txt is the text' }).waitFor();
    await drop(page, 'right.txt', Buffer.from(lines));
    await page.getByTestId('own-text-state').filter({ hasText: 'right.txt' }).waitFor();
    await page.getByTestId('run-file').setInputFiles(file);
    await reaches(page, 'paused');
    assert.equal(await number(page, 'status-step'), stepOf(file));

    // The browser keeps the text beside the run.
    await comeBack(page);
    await page.getByTestId('go-on').click();
    await stepPast(page, kept + 1);
    await page.getByTestId('own-text-state').filter({ hasText: 'kept run' }).waitFor();
    // That of the plan, which is worked out while it trains.
    const preview = page.getByTestId('text-preview').filter({ hasText: 'Line 0: the owl' });
    await preview.waitFor({ state: 'attached' });
    await page.getByTestId('stop').click();
    await reaches(page, 'stopped');
  }));
