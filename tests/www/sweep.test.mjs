// What a sweep's definition says and how far a sweep is, on ones that are known.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const definition = await load('sweep/definition.ts');
const progress = await load('sweep/progress.ts');

const made = {
  method: 'grid',
  parameters: {
    'model.layers': { value: 2 },
    'training.steps': { value: 100 },
    'model.activation': { values: ['relu', 'swiglu', 'gelu'] },
    'training.seed': { values: [1, 2] },
  },
};

test('a definition is read and changed part by part', () => {
  assert.deepEqual(definition.varied(made), [['model.activation', { values: ['relu', 'swiglu', 'gelu'] }]]);
  assert.deepEqual(definition.constants(made), [
    ['model.layers', 2],
    ['training.steps', 100],
  ]);
  assert.equal(definition.budgetOf(made), null);

  const budgeted = definition.withBudget(made, { kind: 'bytes', amount: 5000 });
  assert.deepEqual(definition.budgetOf(budgeted), { kind: 'bytes', amount: 5000 });
  assert.equal(budgeted.parameters['training.steps'], undefined, 'the budget decides about steps');
  const another = definition.withBudget(budgeted, { kind: 'seconds', amount: 3 });
  assert.deepEqual(definition.budgetOf(another), { kind: 'seconds', amount: 3 });
  assert.equal(definition.budgetOf(definition.withBudget(another, null)), null);

  const wider = definition.withParameter(made, 'model.width', { values: [16, 32] });
  assert.equal(Object.keys(wider.parameters).at(-1), 'training.seed', 'seeds change fastest');
  const fewer = definition.withParameter(wider, 'model.activation', null);
  assert.deepEqual(Object.keys(fewer.parameters), [
    'model.layers',
    'training.steps',
    'model.width',
    'training.seed',
  ]);

  const configs = ['relu', 'gelu'].map((activation) => ({ model: { activation } }));
  const { parameters } = definition.repeated(made, configs, 3);
  assert.deepEqual(parameters['model.activation'], { values: ['relu', 'gelu'] });
  assert.deepEqual(parameters['training.seed'], { values: [3, 4, 5] });
  assert.deepEqual(made.parameters['training.seed'], { values: [1, 2] }, 'the first stays as it was');
});

test('settings of the form become constants; what differs and the seeds stay', () => {
  const fields = ['model.layers', 'model.activation', 'training.steps', 'training.seed'].map((path) => ({
    path,
  }));
  const config = { model: { layers: 4, activation: 'gelu' }, training: { steps: 7, seed: 9 } };
  const usual = { model: { layers: 3, activation: 'relu' }, training: { steps: 50, seed: 1 } };
  const over = (from) => definition.withBase(from, config, usual, [{ fields }]).parameters;
  assert.deepEqual(over(made), {
    'model.layers': { value: 4 },
    'training.steps': { value: 7 },
    'model.activation': made.parameters['model.activation'],
    'training.seed': made.parameters['training.seed'],
  });
  const budgeted = definition.withBudget(made, { kind: 'tokens', amount: 10 });
  assert.equal(over(budgeted)['training.steps'], undefined);
});

const member = (run, state, flops = 100) => ({
  run,
  state,
  cost: flops === null ? null : { steps: 10, flops },
});

test('how far a sweep is, and how long it has to go', () => {
  const members = [
    member('a', 'finished'),
    member('b', 'running'),
    member('c', 'waiting'),
    member('d', 'skipped'),
  ];
  const lives = new Map([['b', { flops: 40 }]]);
  assert.equal(progress.totalFlops(members), 400);
  assert.equal(progress.flopsLeft(members, lives), 160);
  assert.equal(progress.share(members, lives), 0.6);
  assert.equal(progress.timeLeft(members, lives, { flops: 40, seconds: 10 }), 40);
  assert.equal(progress.timeLeft(members, lives, { flops: 40, seconds: 1 }), null, 'too soon to tell');
  assert.equal(progress.timeLeft(members, lives, { flops: 0, seconds: 10 }), null);
  assert.equal(progress.isDone({ members }), false);
  assert.equal(progress.isDone({ members: members.filter(progress.isOver) }), true);

  // Where what a run takes is not known, runs are counted.
  const unknown = [...members, member('e', 'waiting', null)];
  assert.equal(progress.flopsLeft(unknown, lives), null);
  assert.equal(progress.share(unknown, lives), 0.4);
  assert.equal(progress.timeLeft(unknown, lives, { flops: 40, seconds: 10 }), null);
  assert.equal(progress.share([], lives), 1);
});
