// Every optimizer trains in the page, on the GPU as on the CPU.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choose, hashOf, number, planned, reaches, savedCsv, small, visit } from './reading.mjs';

const few = {
  ...small,
  // Wide enough for a tensor of 4,096 elements, the least that has codes of 8 bits.
  'model.hidden': 128,
  'schedule.warmup_steps': 0,
  'training.steps': 4,
  'evaluation.every': 0,
  'evaluation.bytes': 256,
  'evaluation.sample_every': 0,
};
delete few['optimizer.learning_rate'];

test('every optimizer trains alike on both devices', () =>
  visit({ gpu: true, hash: hashOf(few) }, async (page) => {
    await planned(page);
    const kind = page.getByTestId('field-optimizer.kind');
    const kinds = await kind
      .locator('option')
      .evaluateAll((options) => options.map((option) => option.value));
    assert.ok(kinds.length >= 8, kinds.join());
    const losses = {};
    for (const device of ['cpu', 'gpu']) {
      await choose(page, device);
      for (const name of kinds) {
        await kind.selectOption(name);
        await planned(page);
        await page.getByTestId('train').click();
        await reaches(page, 'finished', 240_000);
        const train = (await savedCsv(page)).filter((row) => row.series === 'train');
        losses[`${device} ${name}`] = train.map((row) => row.loss);
        assert.equal(await number(page, 'status-optimizer-state'), await number(page, 'plan-state'));
      }
    }
    for (const name of kinds) {
      const [cpu, gpu] = [losses[`cpu ${name}`], losses[`gpu ${name}`]];
      assert.equal(cpu.length, 4);
      assert.ok(cpu[3] < cpu[0], `${name}: ${cpu}`);
      cpu.forEach((loss, i) => {
        assert.ok(Math.abs(loss - gpu[i]) < 2e-3 * loss, `${name}, step ${i + 1}: ${loss} and ${gpu[i]}`);
      });
    }
    assert.equal(
      new Set(kinds.map((name) => losses[`cpu ${name}`][3])).size,
      kinds.length,
      'two are the same',
    );
  }));
