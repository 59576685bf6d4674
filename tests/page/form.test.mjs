// The settings: what does not fit is shown where it is, and nothing is trained on it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf, number, phase, planned, small, visit } from './reading.mjs';

const field = (page, path) => page.getByTestId(`field-${path}`);
const problem = (page, path) => page.getByTestId(`problem-${path}`);

/** What assistive technology reads out beside the control. */
const description = (page, path) =>
  field(page, path).evaluate((control) =>
    control
      .getAttribute('aria-describedby')
      .split(' ')
      .map((id) => document.getElementById(id).textContent)
      .join(' '),
  );

test('values that do not fit are shown at their fields, and Train is refused', () =>
  visit({ gpu: false, hash: hashOf(small) }, async (page) => {
    await planned(page);
    for (const [path, bad, says] of [
      ['training.steps', '0', /It is 0; allowed: .*1/],
      ['training.steps', '1.5', /whole number/],
      ['model.layers', 'many', /many.*whole number/],
      ['optimizer.learning_rate', '-1', /-1; allowed/],
      ['model.heads', '3', /3; allowed/],
    ]) {
      const good = await field(page, path).inputValue();
      await field(page, path).fill(bad);
      await problem(page, path).waitFor();
      const told = await description(page, path);
      assert.match(told, says, `${path} = ${bad}`);
      assert.equal(await field(page, path).getAttribute('aria-invalid'), 'true');
      assert.equal(await page.getByTestId('train').getAttribute('aria-disabled'), 'true');

      // It looks unusable; a press all the same leads to what is wrong.
      await page.getByTestId('train').click({ force: true });
      assert.equal(await phase(page), 'idle', `${path} = ${bad} was trained on`);
      assert.equal(await page.evaluate(() => document.activeElement.name), path, 'Train leads to the field');
      assert.equal(await field(page, path).inputValue(), bad, 'what was typed stays');

      await field(page, path).fill(good);
      await problem(page, path).waitFor({ state: 'detached' });
      await planned(page);
    }
  }));

test('the plan follows the form, changes are marked and can be taken back', () =>
  visit({ gpu: false }, async (page) => {
    await planned(page);
    const before = await number(page, 'plan-parameters');
    assert.ok(before > 10_000);
    const parts = ['parameters', 'gradients', 'optimizer', 'activations', 'traffic'];
    // Where there are several cores; alone there are none.
    if (await page.getByTestId('plan-bytes-replicas').count()) parts.push('replicas');
    const bytes = await Promise.all(parts.map((part) => number(page, `plan-bytes-${part}`)));
    assert.ok(bytes.every((size) => size > 0));
    assert.equal(
      await number(page, 'plan-bytes-total'),
      bytes.reduce((sum, size) => sum + size, 0),
    );
    const tokens = await number(page, 'plan-tokens-per-step');
    assert.equal(
      tokens,
      Number(await field(page, 'training.batch_size').inputValue()) *
        Number(await field(page, 'model.context').inputValue()),
    );

    assert.equal(await page.getByTestId('changed-count').textContent(), 'all at their defaults');
    const layers = Number(await field(page, 'model.layers').inputValue());
    await field(page, 'model.layers').press('ArrowUp');
    assert.equal(await field(page, 'model.layers').inputValue(), String(layers + 1));
    await page.waitForFunction(
      (least) => Number(document.querySelector('[data-testid=plan-parameters]')?.dataset.value) > least,
      before,
    );
    assert.equal(await page.getByTestId('changed-count').textContent(), '1 changed');
    await page.getByTestId('reset-model.layers').click();
    assert.equal(await field(page, 'model.layers').inputValue(), String(layers));
    await page.waitForFunction(
      (value) => Number(document.querySelector('[data-testid=plan-parameters]')?.dataset.value) === value,
      before,
    );
  }));

test('a setting shows while it matters, and keeps its value meanwhile', () =>
  visit({ gpu: false }, async (page) => {
    await planned(page);
    await page.getByTestId('more-schedule').locator('summary').first().click();
    const share = field(page, 'schedule.final_fraction');
    await share.fill('0.3');
    await share.press('Enter');
    await field(page, 'schedule.kind').selectOption('constant');
    await share.waitFor({ state: 'detached' });
    await field(page, 'schedule.kind').selectOption('linear');
    await share.waitFor();
    assert.equal(await share.inputValue(), '0.3');
  }));

test('what does not matter is shown all the same where it is wrong', () =>
  visit({ gpu: false, hash: 'schedule.kind=constant' }, async (page) => {
    await planned(page);
    assert.equal(await field(page, 'schedule.final_fraction').count(), 0);
    await field(page, 'schedule.kind').selectOption('linear');
    await page.getByTestId('more-schedule').locator('summary').first().click();
    await field(page, 'schedule.final_fraction').fill('2');
    await problem(page, 'schedule.final_fraction').waitFor();
    await field(page, 'schedule.kind').selectOption('constant');
    await problem(page, 'schedule.final_fraction').waitFor();
    assert.equal(await field(page, 'schedule.final_fraction').inputValue(), '2');
    // What is said of another value was found with this kind.
    await field(page, 'schedule.final_fraction').fill('3');
    await problem(page, 'schedule.final_fraction').filter({ hasText: 'It is 3' }).waitFor();
    assert.equal(await field(page, 'schedule.final_fraction').inputValue(), '3');
  }));

test('choosing another optimizer moves what was at the defaults of the one before', () =>
  visit({ gpu: false }, async (page) => {
    await planned(page);
    const count = () => page.getByTestId('changed-count').textContent();
    const rate = field(page, 'optimizer.learning_rate');
    const adamw = await rate.inputValue();
    assert.equal(
      await number(page, 'plan-state'),
      (2 * (await number(page, 'plan-bytes-gradients'))) / (await number(page, 'plan-parameters')),
    );
    await page.getByTestId('more-optimizer').locator('summary').first().click();
    await field(page, 'optimizer.beta2').fill('0.95');

    await field(page, 'optimizer.kind').selectOption('lion');
    const lion = await rate.inputValue();
    assert.ok(Number(lion) < Number(adamw) / 3, `${lion} for Lion, ${adamw} for AdamW`);
    assert.equal(await field(page, 'optimizer.beta2').inputValue(), '0.95', 'what was changed stays');
    assert.equal(await count(), '2 changed', 'the kind and β₂');
    assert.equal(await field(page, 'optimizer.epsilon').count(), 0, 'Lion has no ε');
    await page.waitForFunction(() => document.querySelector('[data-testid=plan-state]').dataset.value < 5);

    // The way back is to this kind's default.
    await rate.fill('0.01');
    await page.getByTestId('reset-optimizer.learning_rate').click();
    assert.equal(await rate.inputValue(), lion);
    await page.getByTestId('reset-optimizer.kind').click();
    assert.equal(await rate.inputValue(), adamw);
    assert.equal(await count(), '1 changed');
    await field(page, 'optimizer.kind').selectOption('sgd');
    await page.getByTestId('reset-all').click();
    assert.equal(await rate.inputValue(), adamw);
    assert.equal(await count(), 'all at their defaults');
  }));

test('the plan says where the parameters are, and how wide a gated MLP is', () =>
  visit({ gpu: false }, async (page) => {
    await planned(page);
    const parts = ['embeddings', 'attention', 'mlp', 'norms', 'head'];
    const counts = () => Promise.all(parts.map((part) => number(page, `plan-parts-${part}`)));
    const before = await counts();
    assert.equal(
      before.reduce((sum, part) => sum + part, 0),
      await number(page, 'plan-parameters'),
    );
    assert.equal(before.at(-1), 0);
    const plan = page.getByTestId('plan');
    assert.match(await plan.textContent(), /MLP \(384 hidden\).*head \(tied to the embeddings\)/);

    await field(page, 'model.activation').selectOption('swiglu');
    await plan.getByText('MLP (256 hidden)').waitFor();
    // Three layers of 2 · 384 channels' matrices as 3 · 256; biases are 2 · 256 instead of 384.
    assert.deepEqual(
      await counts(),
      before.map((part, i) => part + (i === 2 ? 3 * (512 - 384) : 0)),
    );
    await field(page, 'model.equal_parameters').uncheck();
    await plan.getByText('MLP (384 hidden)').waitFor();
  }));

test('every control has a label and help', () =>
  visit({ gpu: false }, async (page) => {
    await planned(page);
    const lacking = await page.evaluate(() => {
      const controls = [...document.querySelectorAll('input, select, textarea, button, summary')];
      const named = (control) =>
        [...(control.labels ?? [])].some((label) => label.textContent.trim()) ||
        control.getAttribute('aria-label') ||
        (control.matches('button, summary') && control.textContent.trim());
      const helped = (control) =>
        !control.name ||
        document.getElementById(control.getAttribute('aria-describedby'))?.textContent.trim();
      return controls
        .filter((control) => !named(control) || !helped(control))
        .map((control) => control.outerHTML);
    });
    assert.deepEqual(lacking, []);
    assert.ok((await page.locator('fieldset').count()) >= 7);
  }));
