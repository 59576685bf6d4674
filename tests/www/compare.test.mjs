// What a comparison of runs says, on runs whose figures are known.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';
import { run, schema, seeds } from './synthetic.mjs';

const { readSections } = await load('config/schema.ts');
const { fieldsOf, valueWords } = await load('compare/names.ts');
const { groupBy, usualGrouping, differing, draws } = await load('compare/groups.ts');
const { census, summary } = await load('compare/summary.ts');
const { estimate, quantile } = await load('compare/statistics.ts');
const { header, measuresOf } = await load('compare/measures.ts');
const { likenessKey, unlike } = await load('compare/likeness.ts');
const { front } = await load('compare/pareto.ts');
const { differences } = await load('compare/diff.ts');
const { question } = await load('compare/question.ts');
const { readSettings, USUAL } = await load('compare/settings.ts');
const points = await load('compare/points.ts');
const { bands } = await load('compare/bands.ts');
const { scene } = await load('compare/scene.ts');
const { sorted } = await load('compare/sort.ts');
const { everything, tableCsv } = await load('compare/exports.ts');
const { marks, radius } = await load('compare/marks.ts');
const { scaleOf, ticks } = await load('compare/scale.ts');

const sections = readSections(schema);
const fields = fieldsOf(sections);
const grouped = (runs, by = usualGrouping(runs, fields)) => groupBy(runs, by, sections, fields);
const labels = (groups) => groups.map(({ label }) => label);
const measure = (id, runs) => measuresOf(runs).find((one) => one.id === id);

const muon = { 'optimizer.kind': 'muon', 'optimizer.learning_rate': 0.02, 'optimizer.momentum': 0.95 };
const near = (actual, expected, tolerance = 1e-9) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

test('the quantiles of t are those of the tables', () => {
  // scipy.stats.t.ppf(0.975, df)
  const table = [
    [1, 12.706204736432095],
    [2, 4.302652729911275],
    [3, 3.182446305284263],
    [4, 2.776445105197799],
    [9, 2.262157162740992],
    [30, 2.0422724563012373],
    [101, 1.983731002885281],
  ];
  for (const [freedom, expected] of table) near(quantile(freedom), expected, 1e-9 * expected);
});

test('an estimate has an interval from two values on', () => {
  const three = estimate([1, 2, 6]);
  near(three.mean, 3);
  near(three.sd, Math.sqrt(7));
  near(three.high - three.mean, (4.302652729911275 * Math.sqrt(7)) / Math.sqrt(3), 1e-9);
  near(three.mean - three.low, three.high - three.mean);
  assert.deepEqual(estimate([5]), { n: 1, mean: 5, sd: null, low: null, high: null });
  assert.equal(estimate([]), null);
  const equal = estimate([2, 2]);
  assert.deepEqual([equal.low, equal.high], [2, 2]);
});

test('runs are one group where only the seed or the way of looking differs', () => {
  const runs = [...seeds([2, 2.1]), run({ set: { 'training.seed': 3, 'evaluation.prompt': 'Then' } })];
  const groups = grouped(runs);
  assert.deepEqual(labels(groups), ['All runs']);
  assert.equal(groups[0].runs.length, 3);
  // They may be set apart by it all the same.
  assert.deepEqual(differing(runs, fields), ['training.seed', 'evaluation.prompt']);
  assert.deepEqual(
    labels(grouped(runs, ['training.seed'])),
    [1, 2, 3].map((seed) => `Training seed ${seed}`),
  );
});

test('a label says what was chosen and not what follows from it', () => {
  const runs = [...seeds([2, 2.1]), ...seeds([1.9], { set: muon })];
  assert.deepEqual(labels(grouped(runs)), ['AdamW', 'Muon']);
  const other = run({ set: { ...muon, 'optimizer.learning_rate': 0.05 } });
  assert.deepEqual(labels(grouped([...runs, other])), [
    'AdamW · Learning rate 0.001',
    'Muon · Learning rate 0.02',
    'Muon · Learning rate 0.05',
  ]);
  // What does not depend on a choice is said.
  const longer = run({ set: { ...muon, 'data.text_bytes': 90000 } });
  assert.deepEqual(labels(grouped([...runs, longer])), [
    'Text bytes 60,000 bytes · AdamW',
    'Text bytes 60,000 bytes · Muon',
    'Text bytes 90,000 bytes · Muon',
  ]);
});

test('steps that only follow from a budget are not in the label, and are where nothing else tells groups apart', () => {
  const short = { 'training.steps': 40 };
  assert.deepEqual(labels(grouped([run(), run({ set: { ...muon, ...short } })])), ['AdamW', 'Muon']);
  assert.deepEqual(labels(grouped([run(), run({ set: short })])), ['Steps 100', 'Steps 40']);
});

test('an option that does not matter sets nothing apart', () => {
  const runs = [run(), run({ set: { 'optimizer.momentum': 0.5 } })];
  assert.deepEqual(usualGrouping(runs, fields), []);
});

test('options of another version still tell runs apart', () => {
  const runs = [run(), run({ set: { 'model.wings': 2 } })];
  assert.deepEqual(usualGrouping(runs, fields), ['model.wings']);
});

test('a seed that was run twice counts once, the later time', () => {
  const runs = [run({ bits: 3 }), run({ bits: 2 }), run({ bits: 4, set: { 'training.seed': 2 } })];
  assert.deepEqual(
    draws(runs, fields).map(({ id }) => id),
    [runs[1].id, runs[2].id],
  );
  const [group] = grouped(runs);
  const counted = census(group, false, fields);
  assert.equal(counted.repeats, 1);
  near(summary(counted, measure('bits_per_byte', runs)).mean, 3);
});

test('diverged runs are counted apart, unfinished ones only when asked for', () => {
  const runs = [
    run({ bits: 2 }),
    run({ bits: 9, state: 'diverged', set: { 'training.seed': 2 } }),
    run({ bits: 4, state: 'stopped', at: [0, 50], set: { 'training.seed': 3 } }),
    // Stopped in the moment in which it ended.
    run({ bits: 3, state: 'stopped', set: { 'training.seed': 4 } }),
  ];
  const [group] = grouped(runs);
  const bits = measure('bits_per_byte', runs);
  const strict = census(group, false, fields);
  assert.equal(strict.diverged.length, 1);
  assert.deepEqual(strict.unfinished, [runs[2]]);
  near(summary(strict, bits).mean, 2.5);
  const all = census(group, true, fields);
  assert.equal(all.unfinished.length, 0);
  near(summary(all, bits).mean, 3);
});

test('loss per token is refused between tokenizers, bits per byte is not', () => {
  const bpe = { 'tokenizer.kind': 'bpe' };
  const runs = [
    run(),
    run({ set: bpe, plan: { vocabulary: 512, held_out_tokens: 2000, bytes_per_token: 3 } }),
  ];
  const refusal = unlike(measure('loss', runs).needs, runs, fields);
  assert.equal(refusal.likeness, 'tokenizer');
  assert.match(refusal.why, /another stretch of text/);
  assert.deepEqual(
    refusal.kins.map(({ words }) => words),
    ['Characters, vocabulary 65', 'Byte-level BPE, vocabulary 512'],
  );
  assert.equal(unlike(measure('bits_per_byte', runs).needs, runs, fields), null);
  // The same kind with another vocabulary is another tokenizer; the very same is none.
  const more = [
    runs[1],
    run({ set: bpe, plan: { vocabulary: 1024, held_out_tokens: 2000, bytes_per_token: 3 } }),
  ];
  assert.equal(unlike(['tokenizer'], more, fields)?.likeness, 'tokenizer');
  assert.equal(unlike(['tokenizer'], [runs[1], runs[1]], fields), null);
});

test('figures of different held-out bytes are refused, and how runs fall apart is told', () => {
  const of = (set, plan) => run({ set, plan });
  const cases = [
    [{ 'data.text_bytes': 90000 }, 'Text bytes 60,000 bytes'],
    [{ 'evaluation.bytes': 4096 }, 'Evaluation bytes 2,048'],
    [{ 'evaluation.final_bytes': 4096 }, 'Evaluation final bytes 8,192'],
    [{ 'evaluation.context': 128 }, 'Evaluation context 0'],
  ];
  for (const [set, words] of cases) {
    const refusal = unlike(measure('bits_per_byte', []).needs, [run(), of(set)], fields);
    assert.equal(refusal?.likeness, 'text', JSON.stringify(set));
    assert.equal(refusal.kins[0].words, words);
  }
  // The length of TinyTales is nothing to another corpus.
  const dick = (bytes) => of({ 'data.corpus': 'moby_dick', 'data.text_bytes': bytes });
  assert.equal(unlike(['text'], [dick(60000), dick(90000)], fields), null);
  // Two texts of the visitor's own: their settings are the same.
  const own = { 'data.corpus': 'own' };
  const texts = [of(own), of(own, { held_out_tokens: 7000 })];
  assert.equal(unlike(['text'], texts, fields)?.likeness, 'text');
  assert.equal(unlike(['text'], [texts[0], texts[0]], fields), null);
});

test('accuracy needs the same questions: single tasks the same items, their mean the same tasks', () => {
  const cloze = run({ accuracy: 0.5 });
  const count = run({ accuracy: 0.6, task: 'count' });
  const fewer = run({ accuracy: 0.5, set: { 'downstream.items': 20 } });
  const often = run({ accuracy: 0.5, set: { 'downstream.every': 10 } });
  const of = (id, runs) => unlike(measure(id, runs).needs, runs, fields)?.likeness ?? null;
  assert.equal(of('accuracy', [cloze, count]), 'tasks');
  assert.equal(of('accuracy.cloze', [cloze, fewer]), 'items');
  assert.equal(of('accuracy', [cloze, often]), null);
  assert.equal(of('accuracy.cloze', [cloze, often]), null);
});

test('measures know their unit and which way is better; accuracy is there once a run has it', () => {
  assert.deepEqual(
    measuresOf([run()]).filter(({ id }) => id.startsWith('accuracy')),
    [],
  );
  const runs = [run({ accuracy: 0.5 })];
  const all = measuresOf(runs);
  assert.equal(all[0].id, 'bits_per_byte');
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
  const goals = Object.fromEntries(all.map(({ id, goal }) => [id, goal]));
  assert.equal(goals.bits_per_byte, 'minimize');
  assert.equal(goals.accuracy, 'maximize');
  assert.equal(goals['accuracy.cloze'], 'maximize');
  assert.equal(goals.tokens_per_second, 'maximize');
  assert.equal(goals.steps, null);
  for (const { unit, show } of all) assert.ok(unit && show(1.5));
  assert.deepEqual(
    [header(all[0]), header(measure('seconds', runs))],
    ['Bits per byte', 'Training time (seconds)'],
  );
  near(measure('tokens_per_second', runs).of(runs[0]), 2560);
  near(measure('seconds', runs).of(runs[0]), 10);
});

test('the front is what no other beats in both', () => {
  const at = (x, y) => ({ x, y });
  const all = [at(1, 1), at(2, 3), at(3, 2), at(1, 3), at(2, 2), at(2, 3)];
  assert.deepEqual(front(all, 'maximize', 'maximize'), [2, 1, 5]);
  assert.deepEqual(front(all, 'minimize', 'maximize'), [3]);
  assert.deepEqual(front(all, 'minimize', 'minimize'), [0]);
  assert.deepEqual(front([], 'minimize', 'minimize'), []);
});

test('between two points lies the straight line, beyond them nothing', () => {
  const curve = { xs: [0, 10, 20], ys: [0, 1, 5] };
  assert.deepEqual(points.interpolate(curve, [-1, 0, 5, 10, 15, 20, 21]), [null, 0, 0.5, 1, 3, 5, null]);
  assert.deepEqual(points.interpolate({ xs: [], ys: [] }, [1]), [null]);
});

test('the common axis is every place, or where there are too many, even ones', () => {
  const few = [
    { xs: [0, 10], ys: [1, 1] },
    { xs: [0, 4], ys: [1, 1] },
  ];
  assert.deepEqual(points.commonAxis(few, false), [0, 4, 10]);
  assert.deepEqual(points.commonAxis(few, true), [4, 10]);
  const xs = Array.from({ length: 10001 }, (_, index) => index);
  const many = points.commonAxis([{ xs, ys: xs }], false);
  assert.equal(many.length, 512);
  assert.deepEqual([many[0], many.at(-1)], [0, 10000]);
  const ratios = points.commonAxis([{ xs, ys: xs }], true);
  assert.deepEqual([ratios[0], ratios.at(-1)], [1, 10000]);
  near(ratios[2] / ratios[1], ratios[1] / ratios[0]);
  assert.deepEqual(points.commonAxis([], false), []);
});

test('a band is the interval of the mean where all runs of the group are', () => {
  const runs = [
    run({ bits: (step) => 3 - step / 100, at: [0, 50, 100] }),
    run({ bits: (step) => 4 - step / 100, at: [0, 100, 200], set: { 'training.seed': 2 } }),
  ];
  const [group] = grouped(runs);
  const curve = points.curvesOf(runs)[0];
  assert.equal(curve.id, 'validation.bits_per_byte');
  const view = { logX: false, logY: false, runs: true };
  const { table, strands } = bands([{ group, counted: runs, others: [] }], curve, 'step', view);
  assert.deepEqual(table[0], [0, 50, 100, 200]);
  assert.deepEqual(
    strands.map(({ kind }) => kind),
    ['mean', 'low', 'high', 'run', 'run'],
  );
  const [, mean, low, high, first, second] = table;
  assert.deepEqual(mean, [3.5, 3, 2.5, null]);
  assert.deepEqual(first, [3, 2.5, 2, null]);
  assert.deepEqual(second, [4, 3.5, 3, 2]);
  near(high[1] - mean[1], 12.706204736432095 / 2);
  near(mean[1] - low[1], 12.706204736432095 / 2);
  // By tokens, seconds and FLOPs, too; and a run that counts in no mean is only drawn.
  const apart = bands([{ group, counted: [runs[0]], others: [runs[1]] }], curve, 'seconds', view);
  assert.deepEqual(apart.table[0], [0, 5, 10, 20]);
  assert.deepEqual(
    apart.strands.map(({ kind, apart }) => [kind, apart]),
    [
      ['mean', false],
      ['run', true],
    ],
  );
});

test('points that are not finite are no points', () => {
  const bad = run({ bits: (step) => (step === 50 ? Number.NaN : 2) });
  const { xs, ys } = points.curvesOf([bad])[0].points(bad, 'step');
  assert.deepEqual(
    [xs, ys],
    [
      [0, 100],
      [2, 2],
    ],
  );
});

test('groups side by side: only what differs', () => {
  const runs = [...seeds([2, 2.1]), run({ set: { ...muon, 'data.text_bytes': 90000 } })];
  const found = differences(grouped(runs), fields);
  assert.deepEqual(
    found.map(({ name, cells }) => [name, ...cells]),
    [
      ['Text bytes', '60,000 bytes', '90,000 bytes'],
      ['Optimizer kind', 'AdamW', 'Muon'],
      ['Learning rate', '0.001', '0.02'],
      ['Beta1', '0.9', '–'],
      ['Momentum', '–', '0.95'],
      ['Training seed', '1, 2', '1'],
    ],
  );
});

test('the question has every seed, and a diverged run as no number', () => {
  const runs = [
    ...seeds([2, 2.1]),
    run({ bits: 1, set: muon }),
    run({ state: 'diverged', set: { ...muon, 'training.seed': 2 } }),
  ];
  const asked = (id) =>
    question(
      measure(id, runs),
      grouped(runs).map((group) => ({ group, census: census(group, false, fields) })),
    );
  const { metric, groups } = asked('bits_per_byte');
  assert.deepEqual([metric.name, metric.goal], ['bits per byte', 'minimize']);
  assert.deepEqual(groups, [
    {
      name: 'AdamW',
      values: [
        { seed: 1, value: 2 },
        { seed: 2, value: 2.1 },
      ],
    },
    {
      name: 'Muon',
      values: [
        { seed: 1, value: 1 },
        { seed: 2, value: Number.NaN },
      ],
    },
  ]);
  // Where neither way is better, or there is nothing to compare with, nothing is asked.
  assert.equal(asked('steps'), null);
  const alone = grouped(seeds([2, 2.1])).map((group) => ({ group, census: census(group, false, fields) }));
  assert.equal(question(measure('bits_per_byte', []), alone), null);
});

test('values are told with their names and units', () => {
  assert.equal(valueWords(fields.get('tokenizer.kind'), 'bpe'), 'Byte-level BPE');
  assert.equal(valueWords(fields.get('data.text_bytes'), 60000), '60,000 bytes');
  assert.equal(valueWords(undefined, true), 'on');
  assert.equal(valueWords(undefined, null), '–');
  assert.equal(valueWords(undefined, ['a', 'b']), 'a, b');
  assert.equal(valueWords(undefined, 1e-7), '1e−7');
});

test('settings that were kept are taken up, and whatever does not fit is as usual', () => {
  const changed = {
    ...USUAL,
    by: ['optimizer.kind'],
    hidden: ['a'],
    state: 'results',
    only: [{ likeness: 'text', key: '{}', words: 'TinyTales' }],
    sort: { by: 'loss', descending: true },
    curve: { ...USUAL.curve, x: 'flops', logY: true, runs: false },
  };
  assert.deepEqual(readSettings(JSON.stringify(changed)), changed);
  for (const bad of [
    null,
    'x',
    '[]',
    '7',
    '{"by":5,"only":{"likeness":"text"},"curve":{"x":"miles"},"state":[],"scatters":{},"hidden":"a"}',
  ])
    assert.deepEqual(readSettings(bad), USUAL, String(bad));
  assert.deepEqual(readSettings('{"by":["a",3]}').by, ['a']);
});

test('a filter leaves looks and names as they are', () => {
  const runs = [
    run(),
    run({ set: muon, name: 'the fast one' }),
    run({ set: muon, state: 'running', at: [0, 50] }),
  ];
  const of = (part) => scene(runs, { ...USUAL, ...part }, sections);
  const looks = ({ entries }) => entries.map(({ group: { label, look } }) => [label, look]);
  assert.deepEqual(looks(of({})), [
    ['AdamW', 0],
    ['Muon', 1],
  ]);
  assert.deepEqual(looks(of({ words: 'FAST one' })), [['Muon', 1]]);
  assert.deepEqual(looks(of({ words: 'fast two' })), []);
  assert.deepEqual(looks(of({ words: 'muon' })), [['Muon', 1]]);
  assert.equal(of({ state: 'unfinished' }).entries[0].census.unfinished.length, 1);
  assert.equal(of({ unfinished: true }).entries[1].census.counted.length, 1, 'one seed, one draw');
  const diverged = run({ state: 'diverged', at: [0, 50] });
  assert.equal(
    scene([diverged], { ...USUAL, state: 'results' }, sections).entries.length,
    1,
    'a result, too',
  );
  const hidden = of({ hidden: [of({}).entries[0].group.key] });
  assert.equal(hidden.entries.length, 2);
  assert.deepEqual(
    hidden.shown.map(({ group }) => group.label),
    ['Muon'],
  );
  // Alike in what was asked for.
  const key = likenessKey('tokenizer', runs[0], fields);
  assert.equal(of({ only: [{ likeness: 'tokenizer', key, words: '' }] }).entries.length, 2);
  assert.equal(of({ only: [{ likeness: 'tokenizer', key: 'another', words: '' }] }).entries.length, 0);
});

test('the table sorts by name, by runs and by figures, groups without a value last', () => {
  const steps = (steps) => ({ 'training.steps': steps });
  const runs = [
    run({ bits: 1, set: steps(100), state: 'stopped', at: [0, 50] }),
    run({ bits: 2, set: { ...steps(9), 'optimizer.learning_rate': 0.01 } }),
    run({ bits: 3, set: steps(10) }),
    run({ bits: 3, set: { ...steps(10), 'training.seed': 2 } }),
  ];
  const { entries, measures } = scene(runs, { ...USUAL, by: ['training.steps'] }, sections);
  const by = (by, descending) =>
    sorted(entries, measures, { by, descending }).map(({ group }) => group.label);
  assert.deepEqual(by('group', false), ['Steps 9', 'Steps 10', 'Steps 100']);
  assert.deepEqual(by('bits_per_byte', true), ['Steps 10', 'Steps 9', 'Steps 100']);
  assert.deepEqual(by('bits_per_byte', false), ['Steps 9', 'Steps 10', 'Steps 100']);
  assert.deepEqual(by('runs', true), ['Steps 10', 'Steps 9', 'Steps 100']);
});

test('the table as CSV has units, intervals and reasons', () => {
  const bpe = { 'tokenizer.kind': 'bpe' };
  const plan = { vocabulary: 512, held_out_tokens: 2000, bytes_per_token: 3 };
  const runs = [...seeds([2, 4]), run({ bits: 1.5, set: bpe, plan })];
  const of = scene(runs, USUAL, sections);
  const columns = ['bits_per_byte', 'loss'].map((id) => measure(id, runs));
  const [head, first, second] = tableCsv(of, of.entries, columns)
    .trim()
    .split('\n')
    .map((line) => line.split(/,(?! )/));
  const at = (row, name) => row[head.indexOf(name)];
  assert.equal(at(first, 'Bits per byte'), '3');
  near(Number(at(first, 'Bits per byte: to')), 3 + 12.706204736432095, 1e-9);
  assert.equal(at(second, 'Bits per byte'), '1.5');
  assert.equal(at(second, 'Bits per byte: to'), '');
  assert.deepEqual([at(first, 'Runs counted'), at(second, 'Tokenizer kind')], ['2', 'Byte-level BPE']);
  assert.match(at(first, 'Loss per token (nats)'), /^"not compared: .*different tokenizers/);
});

test('everything as JSON is JSON, whatever a diverged run left', () => {
  const runs = [run(), run({ state: 'diverged', bits: Number.NaN, set: { 'training.seed': 2 } })];
  const { format, version, groups } = JSON.parse(everything(scene(runs, USUAL, sections)));
  assert.deepEqual([format, version], ['trainlab comparison', 1]);
  assert.deepEqual(groups[0].runs[1].validation.bits_per_byte, [null, null, null]);
  assert.deepEqual([groups[0].counted, groups[0].diverged], [[runs[0].id], [runs[1].id]]);
});

test('points have places, sizes and a front', () => {
  const runs = [
    ...seeds([2, 2.2], { accuracy: 0.5 }),
    run({ bits: 1.5, accuracy: 0.7, pace: 0.2, set: muon }),
    run({ bits: 1.7, set: { ...muon, 'optimizer.learning_rate': 1 } }),
  ];
  const { entries } = scene(runs, USUAL, sections);
  const [x, y, size] = ['bits_per_byte', 'accuracy', 'tokens_per_second'].map((id) => measure(id, runs));
  const found = marks(entries, { x, y, size }, { x: false, y: false });
  // The third group was not scored.
  assert.deepEqual(
    found.map(({ x, front }) => [x.mean, front]),
    [
      [2.1, false],
      [1.5, true],
    ],
  );
  assert.ok(radius(found[0], found) > radius(found[1], found), 'the faster one is larger');
  const alike = marks(entries, { x, y, size: undefined }, { x: false, y: false });
  assert.equal(radius(alike[0], alike), radius(alike[1], alike));
});

test('a scale goes around all values; a logarithmic one knows no zero', () => {
  const linear = scaleOf([0, 10, Number.NaN], false);
  assert.ok(linear.low < 0 && linear.high > 10);
  near(linear.share(5), 0.5);
  const log = scaleOf([-5, 0, 1, 100], true);
  assert.ok(log.low > 0 && log.low < 1 && log.high > 100);
  near(log.share(10), 0.5);
  for (const scale of [linear, log, scaleOf([], false), scaleOf([], true), scaleOf([3, 3], false)]) {
    const marked = ticks(scale, 5);
    assert.ok(marked.length > 0);
    for (const tick of marked) assert.ok(scale.share(tick) >= 0 && scale.share(tick) <= 1);
  }
});
