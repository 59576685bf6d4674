// What each downstream task needs to be learned: a few runs at growing budgets, on the CPU device, natively.
//
//   npm run bench:tasks [-- --runs default,bpe192 --seeds 1,2 --items 200]
//
// Prints JSON lines, one every thousand steps of a run: its settings, its cost so far and, for each task, the accuracy, its
// standard error and chance.

import { parseArgs } from 'node:util';
import { asArguments, trainlab } from './sweep.mjs';

const prototype = [
  'model.context=192',
  'model.position=rope',
  'model.activation=swiglu',
  'data.text_bytes=4000000',
];
const bpe = ['tokenizer.kind=bpe', 'tokenizer.vocabulary=512'];
const practised = (tasks, share = 0.5) => [`data.practice=${tasks}`, `data.practice_share=${share}`];
/** Four times as many tokens as in the default run. */
const long = ['training.steps=4000', 'training.batch_size=16'];
/** Nine tenths of the text is one exercise. */
const drilled = (task) => [...practised(task, 0.9), ...long];
const muon = 'optimizer.kind=muon';

/** By name: what is set beside the defaults. */
const RUNS = {
  default: [],
  practice64: ['model.position=rope', ...practised('key_value,copy,reverse')],
  bpe64: [...bpe, 'model.position=rope'],
  bpe192: [...bpe, ...prototype],
  recall192: [...bpe, ...prototype, ...practised('recall,key_value')],
  muon192: [...bpe, ...prototype, ...long, muon],
  copy64: ['model.position=rope', ...drilled('copy'), 'optimizer.learning_rate=2e-3'],
  reverse64: [...drilled('reverse'), 'optimizer.learning_rate=2e-3'],
  key_value64: [...bpe, 'model.position=rope', ...drilled('key_value'), muon],
  recall96: [...bpe, 'model.position=rope', 'model.context=96', ...drilled('recall'), muon],
};

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: Object.keys(RUNS).join(',') },
    seeds: { type: 'string', default: '1' },
    items: { type: 'string', default: '200' },
  },
});
const ALL = 'cloze,agreement,count,tracking,recall,key_value,copy,reverse';

for (const name of options.runs.split(','))
  for (const seed of options.seeds.split(',')) {
    const set = [
      ...RUNS[name],
      `training.seed=${seed}`,
      `downstream.tasks=${ALL}`,
      `downstream.items=${options.items}`,
      'downstream.every=1000',
      'evaluation.every=0',
      'evaluation.sample_every=0',
    ];
    const { status, stdout, stderr } = trainlab('train', '--device', 'cpu', ...asArguments(set));
    if (status !== 0) throw new Error(stderr);
    const lines = stdout.trim().split('\n').map(JSON.parse);
    const { validation } = lines.findLast((line) => line.validation);
    for (const { downstream } of lines.filter((line) => line.downstream?.step > 0))
      console.log(
        JSON.stringify({
          run: name,
          seed: Number(seed),
          set: RUNS[name],
          steps: downstream.step,
          tokens: downstream.tokens,
          seconds: Math.round(downstream.seconds),
          ...(downstream.step === validation.step && { bits_per_byte: round(validation.bits_per_byte) }),
          tasks: Object.fromEntries(downstream.tasks.map(figures)),
        }),
      );
  }

function figures({ task, accuracy, standard_error, chance }) {
  return [task, [accuracy, standard_error, chance].map(round)];
}

function round(value) {
  return Math.round(value * 1000) / 1000;
}
