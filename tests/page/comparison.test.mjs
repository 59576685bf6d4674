// Runs side by side, on synthetic ones: a page of its own, which is not shipped.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { build } from 'vite';
import { root } from '../../scripts/lib.mjs';
import { fitsWidth, visit } from './reading.mjs';

const folder = join(root, 'target/comparison-page');

before(() =>
  build({
    root: join(root, 'tests/page/comparison'),
    configFile: join(root, 'vite.config.ts'),
    logLevel: 'warn',
    build: { outDir: folder, emptyOutDir: true },
  }),
);

const ready = (page) => page.locator('#runs[data-ready]').waitFor({ state: 'attached' });

const compared = (body) =>
  visit({ gpu: false, folder }, async (page, errors) => {
    await ready(page);
    await body(page, errors);
  });

/** Three optimizers by three seeds; one run of the last diverged. */
const optimizers = (page) =>
  page.evaluate(() => {
    const { seeds, show } = window.trainlab;
    const at = [0, 500, 1000, 1500, 2000];
    const of = (kind, bits, accuracy, pace) =>
      seeds([bits, bits + 0.02, bits - 0.02], { set: { 'optimizer.kind': kind }, at, accuracy, pace });
    const [adamw, lion, sgd] = [of('adamw', 2, 0.6, 0.1), of('lion', 1.8, 0.7, 0.2), of('sgd', 3, 0.3, 0.4)];
    sgd[2].state = 'diverged';
    show([...adamw, ...lion, ...sgd]);
  });

/** The same settings under two tokenizers. */
const tokenizers = (page) =>
  page.evaluate(() => {
    const { seeds, show } = window.trainlab;
    const at = [0, 1000, 2000];
    const bpe = { vocabulary: 512, held_out_tokens: 2000, bytes_per_token: 3 };
    show([
      ...seeds([2, 2.1, 2.05], { at, loss: 1.5 }),
      ...seeds([1.7, 1.75, 1.6], { at, loss: 3, set: { 'tokenizer.kind': 'bpe' }, plan: bpe }),
    ]);
  });

const names = (page) => page.getByTestId('group').locator('th').allInnerTexts();
const values = (page, id) =>
  page
    .getByTestId(`value-${id}`)
    .evaluateAll((cells) => cells.map(({ dataset }) => Number(Number(dataset.value).toFixed(6))));

/** All at once, when the plot's width is known. */
async function marksOf(plot) {
  const marks = plot.getByTestId('mark');
  await marks.first().waitFor({ state: 'attached' });
  return marks;
}

const colourOf = (page, group) =>
  page.evaluate((group) => {
    const probe = document.createElement('i');
    probe.style.color = `var(--group-${group})`;
    document.body.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  }, group);

async function saved(page, testid) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId(testid).click()]);
  return { name: download.suggestedFilename(), file: await readFile(await download.path()) };
}

test('groups in a table: figures, order, filter, hiding; a reload shows the same', () =>
  compared(async (page) => {
    await optimizers(page);
    assert.deepEqual(await names(page), ['AdamW', 'Lion', 'SGD']);
    assert.deepEqual(await values(page, 'bits_per_byte'), [2, 1.8, 3.01]);
    const census = page.getByTestId('census').last();
    assert.equal(await census.getAttribute('data-diverged'), '1');
    assert.match(await census.innerText(), /^2\n✕ 1 diverged$/);
    assert.match(
      await page.getByTestId('value-bits_per_byte').first().innerText(),
      /^2\.000\s+1\.950 to 2\.050/,
    );

    // By keyboard.
    const head = page.getByTestId('sort-bits_per_byte');
    const order = () => page.locator('th', { has: head }).getAttribute('aria-sort');
    assert.equal(await order(), 'none');
    await head.focus();
    await page.keyboard.press('Enter');
    assert.equal(await order(), 'ascending');
    assert.deepEqual(await names(page), ['Lion', 'AdamW', 'SGD']);
    await page.keyboard.press('Enter');
    assert.equal(await order(), 'descending');
    assert.deepEqual(await names(page), ['SGD', 'AdamW', 'Lion']);

    await page.getByTestId('show-group').last().uncheck();
    assert.deepEqual(await page.getByTestId('compared-curves').locator('.legend li').count(), 2);
    assert.equal(await (await marksOf(page.getByTestId('scatter-0'))).count(), 2);
    await page.getByTestId('columns').locator('summary').click();
    await page.getByTestId('columns-parameters').uncheck();
    await page.getByTestId('curve-x').selectOption('flops');

    await page.reload();
    await ready(page);
    await optimizers(page);
    assert.deepEqual(await names(page), ['SGD', 'AdamW', 'Lion']);
    assert.equal(await page.getByTestId('show-group').last().isChecked(), false);
    assert.equal(await page.getByTestId('value-parameters').count(), 0);
    assert.equal(await page.getByTestId('curve-x').inputValue(), 'flops');
    await page.getByTestId('show-all').click();

    await page.getByTestId('find-runs').fill('lion');
    assert.deepEqual(await names(page), ['Lion']);
    await page.getByTestId('find-runs').fill('nothing such');
    await page.getByTestId('none-found').waitFor();
    await page.getByTestId('find-runs').fill('');
    await page.getByTestId('state').selectOption('diverged');
    assert.deepEqual(await names(page), ['SGD']);
    await page.getByTestId('state').selectOption('all');

    // By seed instead: each of three groups has a run of every optimizer.
    await page.getByTestId('group-by').locator('summary').click();
    await page.getByTestId('group-by-training.seed').check();
    assert.equal((await names(page)).length, 9);
    await page.getByTestId('group-by-usual').click();
    assert.equal((await names(page)).length, 3);

    await page.getByTestId('differences').locator('summary').click();
    const kinds = await page.getByTestId('differs-optimizer.kind').locator('td').allInnerTexts();
    assert.deepEqual(kinds, ['AdamW', 'Lion', 'SGD']);
    assert.equal(await page.getByTestId('differs-model.layers').count(), 0);
  }));

test('loss per token between tokenizers is refused, with the reason, wherever it would be', () =>
  compared(async (page) => {
    await tokenizers(page);
    // Bits per byte comes first and is drawn.
    assert.equal(await page.getByTestId('curve').inputValue(), 'validation.bits_per_byte');
    assert.equal(await page.getByTestId('subject').inputValue(), 'bits_per_byte');
    assert.equal(await page.getByTestId('refusal').count(), 0);
    assert.equal((await page.locator('[data-testid=remark][data-likeness=tokenizer]').count()) > 0, true);

    await page.getByTestId('columns').locator('summary').click();
    await page.getByTestId('columns-loss').check();
    await page.getByTestId('columns').locator('summary').click();
    await page.getByTestId('curve').selectOption('validation.loss');
    await page.getByTestId('subject').selectOption('loss');
    await page.getByTestId('scatter-0-y').selectOption('loss');
    const places = {
      column: page.getByTestId('refused-loss'),
      curves: page.getByTestId('compared-curves'),
      verdict: page.getByTestId('verdict'),
      scatter: page.getByTestId('scatter-0'),
    };
    for (const [name, place] of Object.entries(places)) {
      const refusal = place.getByTestId('refusal');
      assert.equal(await refusal.getAttribute('data-likeness'), 'tokenizer', name);
      assert.match(await refusal.innerText(), /different tokenizers.*another stretch of text/s, name);
    }
    assert.equal(await page.getByTestId('value-loss').count(), 0);
    assert.equal(await places.curves.locator('canvas').count(), 0);
    assert.equal(await places.scatter.getByTestId('mark').count(), 0);
    const table = await saved(page, 'save-table');
    assert.match(table.file.toString(), /not compared/);

    // Of one tokenizer it can be.
    await places.curves.getByTestId('kin').first().click();
    assert.equal(await page.getByTestId('refusal').count(), 0);
    assert.equal(await page.getByTestId('value-loss').count(), 1);
    // Drawn after the page has been painted; strictly one.
    await places.curves.locator('canvas').waitFor({ state: 'attached' });
    await page.getByTestId('only').click();
    assert.equal(await page.getByTestId('refusal').count(), 4);

    // Where they differ in the text as well, one choice after the other.
    await page.evaluate(() => {
      const { run, show } = window.trainlab;
      const bpe = { vocabulary: 512, held_out_tokens: 2000, bytes_per_token: 3 };
      const of = (bytes, set, plan) =>
        run({ at: [0, 2000], plan, set: { ...set, 'data.text_bytes': bytes } });
      const both = [60000, 90000].flatMap((bytes) => [
        of(bytes),
        of(bytes, { 'tokenizer.kind': 'bpe' }, bpe),
      ]);
      show(both);
    });
    const column = page.getByTestId('refused-loss');
    await column.locator('[data-likeness=tokenizer]').waitFor();
    await column.getByTestId('kin').last().click();
    await column.locator('[data-likeness=text]').waitFor();
    await column.getByTestId('kin').last().click();
    assert.deepEqual(await names(page), ['Text bytes 90,000 bytes · Byte-level BPE · Vocabulary 512 tokens']);
    assert.equal(await page.getByTestId('value-loss').count(), 1);
  }));

test('the scatter plots mark what no group beats, and tell the figures of a group to mouse and keyboard', () =>
  compared(async (page) => {
    await optimizers(page);
    const first = page.getByTestId('scatter-0');
    assert.equal(await page.getByTestId('scatter-0-y').inputValue(), 'accuracy');
    assert.equal(await page.getByTestId('scatter-0-x').inputValue(), 'bits_per_byte');
    assert.equal(await page.getByTestId('scatter-0-size').inputValue(), 'tokens_per_second');
    assert.equal(await page.getByTestId('scatter-1-x').inputValue(), 'tokens_per_second');
    const fronts = async (plot) =>
      (await marksOf(plot)).evaluateAll((marks) => marks.map(({ dataset }) => dataset.front === 'true'));
    // Lion is better in both; AdamW is faster than it.
    assert.deepEqual(await fronts(first), [false, true, false]);
    assert.deepEqual(await fronts(page.getByTestId('scatter-1')), [true, true, false]);
    // Down is worse in bits per byte once that is upwards.
    await page.getByTestId('scatter-1-y').selectOption('bits_per_byte');
    assert.deepEqual(await fronts(page.getByTestId('scatter-1')), [true, true, false]);
    await page.getByTestId('scatter-1-x').selectOption('steps');
    assert.deepEqual(await fronts(page.getByTestId('scatter-1')), [false, false, false], 'steps are no aim');

    const pointed = first.getByTestId('pointed');
    await first.getByTestId('mark').nth(1).focus();
    assert.match(
      await pointed.innerText(),
      /^Lion, 3 runs: .*70%.*1\.800, 95% interval 1\.750 to 1\.850.*On the front/,
    );
    await page.keyboard.press('Tab');
    assert.match(await pointed.innerText(), /^SGD, 2 runs/);
    await first.getByTestId('mark').first().locator('.dot').hover();
    assert.match(await pointed.innerText(), /^AdamW, 3 runs/);
    // Two error bars each where the seeds differ.
    assert.equal(await first.getByTestId('mark').first().locator('.bar').count(), 2);
  }));

test('everything can be taken away: table, data, pictures', () =>
  compared(async (page) => {
    await optimizers(page);
    const table = await saved(page, 'save-table');
    assert.equal(table.name, 'trainlab-comparison-table.csv');
    const [head, first] = table.file.toString().split('\n');
    assert.match(head, /^Group,Optimizer kind,.*Bits per byte,Bits per byte: 95% interval from/);
    assert.match(first, /^AdamW,AdamW,/);

    const all = await saved(page, 'save-all');
    assert.equal(all.name, 'trainlab-comparison.json');
    const { groups, measures } = JSON.parse(all.file);
    assert.deepEqual(
      groups.map(({ label, counted, diverged, runs }) => [
        label,
        counted.length,
        diverged.length,
        runs.length,
      ]),
      [
        ['AdamW', 3, 0, 3],
        ['Lion', 3, 0, 3],
        ['SGD', 2, 1, 3],
      ],
    );
    assert.equal(groups[0].runs[0].validation.bits_per_byte.length, 5);
    assert.equal(groups[0].estimates.bits_per_byte.n, 3);
    assert.equal(measures.find(({ id }) => id === 'bits_per_byte').goal, 'minimize');

    const pictures = [
      ['curves', 'trainlab-validation-bits-per-byte-by-steps'],
      ['scatter-0', 'trainlab-downstream-accuracy-against-bits-per-byte'],
    ];
    for (const [id, name] of pictures) {
      const svg = await saved(page, `${id}-svg`);
      assert.equal(svg.name, `${name}.svg`);
      const text = svg.file.toString();
      for (const part of ['AdamW', 'Lion', 'SGD', '<path'])
        assert.ok(text.includes(part), `${part} in ${name}`);
      for (const group of [0, 1, 2])
        assert.ok(text.includes(await colourOf(page, group)), `colour ${group} in ${name}`);
      assert.ok(!text.includes('var(--'), 'a file of its own knows no style sheet');
      const png = await saved(page, `${id}-png`);
      assert.equal(png.name, `${name}.png`);
      const colours = await page.evaluate(async (bytes) => {
        const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${bytes}`)).blob());
        const canvas = new OffscreenCanvas(image.width, image.height);
        const context = canvas.getContext('2d');
        context.drawImage(image, 0, 0);
        const { data } = context.getImageData(0, 0, image.width, image.height);
        return new Set(new Uint32Array(data.buffer)).size;
      }, png.file.toString('base64'));
      assert.ok(colours > 20, `${name}.png has ${colours} colours`);
    }
  }));

test('no run, one run, one seed: what to do is said', () =>
  compared(async (page) => {
    await page.evaluate(() => window.trainlab.show([]));
    assert.match(await page.getByTestId('comparison').innerText(), /no runs yet/);
    await page.evaluate(() => window.trainlab.show([window.trainlab.run()]));
    assert.match(await page.getByTestId('one-run').innerText(), /another seed/);
    await page.evaluate(() => {
      const { run, show } = window.trainlab;
      show([run({ name: 'a' }), run({ name: 'b', set: { 'model.layers': 1 } })]);
    });
    assert.match(
      await page.getByTestId('repeat').innerText(),
      /one run only.*Nothing can be said about chance/s,
    );
    assert.equal(await page.getByTestId('verdict-words').count(), 0);
    await page.getByTestId('repeat-runs').click();
    const [asked] = await page.evaluate(() => window.trainlab.repeats);
    assert.deepEqual(asked, { names: ['a', 'b'], n: 2 });
  }));

test('what the runs support is for the core to say, and its intervals are those that are drawn', () =>
  compared(async (page) => {
    await optimizers(page);
    const words = page.getByTestId('verdict-words');
    assert.match(await words.innerText(), /Lion/);
    await page.getByTestId('verdict').locator('summary').click();
    const pairs = page.getByTestId('pairs').locator('tbody tr');
    assert.deepEqual(await pairs.locator('th').allInnerTexts(), ['Lion − AdamW', 'Lion − SGD']);
    const [adamw, sgd] = await pairs.evaluateAll((rows) =>
      rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.innerText)),
    );
    // The seeds move both alike, so nothing varies between them; a diverged run takes its seed from both.
    assert.deepEqual(adamw.slice(0, 3), ['paired by seed', '3', '−0.200']);
    assert.deepEqual(sgd.slice(0, 3), ['paired by seed', '2', '−1.200']);

    const values = [2.1, 1.9, 2.4, 2.05];
    const [core, drawn] = await page.evaluate(async (values) => {
      const { compare, estimate } = window.trainlab;
      const group = (name) => ({ name, values: values.map((value, index) => ({ seed: index, value })) });
      const metric = { name: 'bits per byte', goal: 'minimize', unit: '' };
      const { groups } = await compare({ metric, groups: [group('a'), group('b')] });
      return [groups[0], estimate(values)];
    }, values);
    assert.equal(core.n, drawn.n);
    for (const key of ['mean', 'sd', 'low', 'high'])
      assert.ok(Math.abs(core[key] - drawn[key]) < 1e-9, `${key}: ${core[key]} and ${drawn[key]}`);

    // A measure without a better way is not offered.
    assert.equal(await page.getByTestId('subject').locator('option[value=steps]').count(), 0);
    await page.getByTestId('subject').selectOption('accuracy');
    await page.waitForFunction(() =>
      document.querySelector('[data-testid=verdict-words]')?.innerText.includes('of items'),
    );
  }));

test('on a phone nothing sticks out sideways, and every pick is in reach', () =>
  compared(async (page) => {
    await page.setViewportSize({ width: 375, height: 700 });
    await tokenizers(page);
    await page.getByTestId('scatter-0-y').selectOption('loss');
    for (const picks of ['group-by', 'columns']) await page.getByTestId(picks).locator('summary').click();
    for (const scheme of ['light', 'dark']) {
      await page.evaluate((name) => {
        window.trainlab.scheme.value = name;
      }, scheme);
      await fitsWidth(page, 375);
    }
    for (const box of await page.locator('.picks input').all()) {
      const { x, width } = await box.boundingBox();
      assert.ok(x >= 0 && x + width <= 375);
    }
  }));
