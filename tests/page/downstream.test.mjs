// Downstream tasks: chosen in the form, scored while it trains, shown with their questions, exported.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf, planned, reaches, savedCsv, small, visit } from './reading.mjs';

const asked = {
  ...small,
  'training.steps': 40,
  'downstream.tasks': 'agreement,copy',
  'downstream.items': 10,
  'downstream.every': 20,
  'data.practice': 'copy',
};

const box = (page, path, task) => page.getByTestId(`field-${path}`).locator(`input[value=${task}]`);

async function train(page) {
  await planned(page);
  await page.getByTestId('train').click();
  await reaches(page, 'finished', 120_000);
}

const series = (rows, name) => rows.filter((row) => row.series === name);

test('tasks are scored on schedule, shown beside chance and with questions, and exported', () =>
  visit({ gpu: false, hash: hashOf(asked) }, async (page) => {
    await train(page);
    const table = page.getByTestId('downstream');
    assert.match(await table.innerText(), /after step 40/);
    const rows = await savedCsv(page);
    for (const task of ['agreement', 'copy']) {
      const scores = series(rows, `downstream:${task}`);
      assert.deepEqual(
        scores.map(({ step }) => step),
        [0, 20, 40],
      );
      const last = scores.at(-1);
      assert.equal(last.items, 10);
      assert.equal(last.chance, task === 'copy' ? 0 : 0.5);
      const shown = Number(await page.getByTestId(`score-${task}`).getAttribute('data-accuracy'));
      assert.equal(shown, last.accuracy);
      assert.ok(shown >= 0 && shown <= 1 && last.standard_error >= 0);
    }
    const means = series(rows, 'downstream').map(({ accuracy }) => accuracy);
    const last = ['agreement', 'copy'].map((task) => series(rows, `downstream:${task}`).at(-1).accuracy);
    assert.ok(Math.abs(means.at(-1) - (last[0] + last[1]) / 2) < 1e-9);
    assert.ok(series(rows, 'validation').at(-1).standard_error > 0, 'of the bits per byte');

    const examples = page.getByTestId('examples-agreement');
    await examples.locator('summary').click();
    assert.equal(await examples.locator('.context').count(), 5);
    assert.equal(await examples.locator('[data-chosen]').count(), 5, 'one of two is always the likelier');
    assert.match(await examples.innerText(), /log-probability -\d/);
    await page.getByTestId('chart-accuracy').waitFor();
  }));

test('the form has a box for each task, and the link says which are chosen', () =>
  visit({ gpu: false, hash: hashOf(asked) }, async (page) => {
    await planned(page);
    assert.equal(await box(page, 'downstream.tasks', 'copy').isChecked(), true);
    assert.equal(await box(page, 'downstream.tasks', 'cloze').isChecked(), false);
    await box(page, 'downstream.tasks', 'cloze').check();
    await page.waitForFunction(() => location.hash.includes('downstream.tasks=cloze,agreement,copy'));
    await page.getByTestId('reset-downstream.tasks').click();
    await page.waitForFunction(() => !location.hash.includes('downstream.tasks'));
    for (const task of ['cloze', 'agreement', 'count', 'tracking', 'recall'])
      assert.equal(await box(page, 'downstream.tasks', task).isChecked(), true, task);
    assert.equal(await box(page, 'downstream.tasks', 'copy').isChecked(), false);
  }));

test('a link with a task that there is not is told', () =>
  visit({ gpu: false, hash: hashOf({ ...asked, 'downstream.tasks': 'close' }) }, async (page) => {
    await planned(page);
    await page.getByText('Did you mean `cloze`?').waitFor();
  }));

test('own tasks come from a file, and a bad line is named', () =>
  visit({ gpu: false, hash: hashOf({ ...asked, 'downstream.tasks': 'own' }) }, async (page) => {
    await planned(page);
    const line = (context) => JSON.stringify({ context, choices: [' was red.', ' were red.'], answer: 0 });
    const file = (name, text) => ({ name, mimeType: 'application/jsonl', buffer: Buffer.from(text) });
    await page.getByTestId('train').click();
    await page.getByText('own, without a file').waitFor();

    await page
      .getByTestId('own-tasks-file')
      .setInputFiles(file('bad.jsonl', `${line('The tree')}\n{"context"`));
    await page.getByTestId('own-tasks-refusal').waitFor();
    assert.match(
      await page.getByTestId('own-tasks-refusal').innerText(),
      /bad\.jsonl was not taken\..*line 2/s,
    );

    const good = Array.from({ length: 12 }, (_, i) => line(`${i}. The gate`)).join('\n');
    await page.getByTestId('own-tasks-file').setInputFiles(file('good.jsonl', good));
    await page.getByText('In use: good.jsonl, 12 questions.').waitFor();
    await train(page);
    assert.match(await page.getByTestId('score-own').innerText(), /50\.0%/);
  }));

test('a run with a subword tokenizer is asked the same questions', () =>
  visit(
    { gpu: false, hash: hashOf({ ...asked, 'tokenizer.kind': 'bpe', 'tokenizer.vocabulary': 300 }) },
    async (page) => {
      await planned(page);
      await train(page);
      const rows = await savedCsv(page);
      assert.deepEqual(
        series(rows, 'downstream').map(({ step }) => step),
        [0, 20, 40],
      );
      const examples = page.getByTestId('examples-copy');
      await examples.locator('summary').click();
      assert.match(await examples.locator('.context').first().innerText(), /^Copy [a-z]{5,40}:$/);
    },
  ));
