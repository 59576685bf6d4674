// Runs that are stored: through a tab that is killed, a full disk, into another browser, and away for good.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf, number, planned, reaches, savedCsv, small, stepPast, visit } from './reading.mjs';
import { allWritten, assertWhole, drop, keptStep, long, points, saved, trainPast } from './runs.mjs';

const short = { ...small, 'training.steps': 40, 'evaluation.every': 20, 'evaluation.sample_every': 0 };

const row = (page, name) =>
  page.locator('[data-testid=run-row]').filter({ has: page.locator(`input[aria-label="Name of ${name}"]`) });

const stateOf = (page, name, state) =>
  row(page, name)
    .and(page.locator(`[data-state=${state}]`))
    .waitFor();

const stepOf = async (page, name) =>
  Number(await row(page, name).getByTestId('run-steps').getAttribute('data-value'));

async function stepsPast(page, name, step) {
  for (let tries = 0; (await stepOf(page, name)) <= step; tries++) {
    assert.ok(tries < 600, `${name} stays at ${step}`);
    await page.waitForTimeout(50);
  }
}

const said = (page, words) => page.getByTestId('runs-said').filter({ hasText: words }).waitFor();

async function deleteRun(page, name) {
  await row(page, name).getByTestId('delete-runs').click();
  await row(page, name).getByTestId('delete-for-good').click();
}

/** What lies in the browser's files, and how many chunks of points and findings of runs in its database. */
const stored = (page) =>
  page.evaluate(async () => {
    const files = await Array.fromAsync((await navigator.storage.getDirectory()).keys());
    const db = await new Promise((resolve) => {
      indexedDB.open('trainlab').onsuccess = ({ target }) => resolve(target.result);
    });
    const count = (name) =>
      new Promise((resolve) => {
        const request = db.transaction(name).objectStore(name).count();
        request.onsuccess = () => resolve(request.result);
      });
    const [chunks, findings] = [await count('points'), await count('findings')];
    db.close();
    return { files, chunks, findings };
  });

test('a run outlives its tab with all but its last second, and goes on; deleted, it leaves nothing', () =>
  visit({ gpu: false, hash: hashOf(long) }, async (first, _errors, _requests, open) => {
    await planned(first);
    await trainPast(first, 5);
    const kept = await keptStep(first);
    await first.getByTestId('pause').click();
    // More than a chunk of points.
    const seen = await stepPast(first, kept + 1100);
    await first.waitForTimeout(1000);
    await first.close();

    const page = await open();
    const offer = page.getByTestId('kept-offer');
    await offer
      .filter({ hasText: `Run 1 was kept in this browser at step ${kept.toLocaleString('en')} of 100,000` })
      .waitFor();
    await page.getByTestId('view-runs').click();
    await stateOf(page, 'Run 1', 'interrupted');
    const end = await stepOf(page, 'Run 1');
    assert.ok(end >= seen, `${end} of ${seen} steps were stored`);

    // Its curves, all of them, as it left them.
    await page.getByTestId('open-run').click();
    await page.getByTestId('past-run').waitFor();
    assert.equal(points(await savedCsv(page), 'train').at(-1)[0], end);
    await page.getByTestId('past-go-on').click();
    await stepPast(page, end + 5);
    assertWhole(await savedCsv(page));
    await page.getByTestId('stop').click();
    await reaches(page, 'stopped');
    const stopped = await keptStep(page, end);

    // It is still one run; steps that were done again took the place of those before.
    await page.getByTestId('view-runs').click();
    await stateOf(page, 'Run 1', 'stopped');
    assert.equal(await page.getByTestId('run-row').count(), 1);
    assert.equal(await stepOf(page, 'Run 1'), stopped);
    await page.getByTestId('run-go-on').click();
    await stepPast(page, stopped);
    await page.getByTestId('stop').click();
    await reaches(page, 'stopped');
    assertWhole(await savedCsv(page));
    await keptStep(page, stopped + 1);

    await page.getByTestId('view-runs').click();
    await stateOf(page, 'Run 1', 'stopped');
    const before = await stored(page);
    assert.equal(before.files.length, 1);
    assert.ok(before.chunks > 0);
    assert.equal(before.findings, 1);
    await deleteRun(page, 'Run 1');
    await page.getByTestId('no-runs').waitFor();
    assert.deepEqual(await stored(page), { files: [], chunks: 0, findings: 0 });
  }));

/** Puts the database that is there into the form that it had before findings were stored. */
const asInVersion1 = (page) =>
  page.evaluate(async () => {
    const done = (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const db = await done(indexedDB.open('trainlab'));
    const read = (name) => done(db.transaction(name).objectStore(name).getAll());
    const [runs, chunks] = [await read('runs'), await read('points')];
    db.close();
    await done(indexedDB.deleteDatabase('trainlab'));
    const opening = indexedDB.open('trainlab', 1);
    opening.onupgradeneeded = () => {
      const store = opening.result.createObjectStore('runs', { keyPath: 'id' });
      store.createIndex('name', 'name');
      store.createIndex('sweep', 'sweep');
      for (const run of runs) store.put(run);
      const points = opening.result.createObjectStore('points', { keyPath: ['run', 'series', 'index'] });
      for (const chunk of chunks) points.put(chunk);
      opening.result.createObjectStore('sweeps', { keyPath: 'id' });
    };
    (await done(opening)).close();
  });

test('runs of an earlier form of the database are there, and what is found out of others is stored', () =>
  visit({ gpu: false, hash: hashOf(short) }, async (page) => {
    await planned(page);
    await page.getByTestId('train').click();
    await reaches(page, 'finished');
    const before = await savedCsv(page);
    await page.getByTestId('view-runs').click();
    await stateOf(page, 'Run 1', 'finished');
    await allWritten(page);
    await asInVersion1(page);
    await page.getByTestId('view-train').click();
    const address = page.url();
    await page.goto('about:blank');
    await page.goto(address);
    await planned(page);
    await page.getByTestId('view-runs').click();
    await stateOf(page, 'Run 1', 'finished');
    assert.equal((await stored(page)).findings, 0);
    await page.getByTestId('open-run').click();
    await page.getByTestId('past-run').waitFor();
    assert.deepEqual(await savedCsv(page), before);
    await page.getByTestId('train').click();
    await reaches(page, 'finished');
    await page.getByTestId('view-runs').click();
    await stateOf(page, 'Run 2', 'finished');
    await allWritten(page);
    assert.equal((await stored(page)).findings, 1);
  }));

test('what a run wrote, was asked and found out is there after its tab is gone', () => {
  const asked = { 'evaluation.sample_every': 40, 'downstream.tasks': 'agreement', 'downstream.items': 8 };
  return visit(
    { gpu: false, hash: hashOf({ ...short, ...asked }) },
    async (first, _errors, _requests, open) => {
      const told = async (page) => {
        await page.getByTestId('view-train').click();
        const train = await page.locator('[data-testid=samples], [data-testid^=examples-]').allTextContents();
        await page.getByTestId('view-length').click();
        const plot = await page.getByTestId('use-positions').locator('table').textContent();
        await page.getByTestId('view-train').click();
        return [...train, plot];
      };
      await planned(first);
      await first.getByTestId('train').click();
      await reaches(first, 'finished');
      await first.waitForTimeout(1000);
      const before = await told(first);
      assert.ok(before.length >= 3 && before.every((text) => text.length > 20), before.join('\n'));
      await first.close();

      const page = await open();
      await page.getByTestId('view-runs').click();
      await stateOf(page, 'Run 1', 'finished');
      await page.getByTestId('open-run').click();
      await page.getByTestId('past-run').waitFor();
      assert.deepEqual(await told(page), before);
    },
  );
});

test('two tabs: each writes its own runs and sees the other’s', () =>
  visit({ gpu: false, hash: hashOf(long) }, async (one, _errors, _requests, open) => {
    await planned(one);
    await one.getByTestId('train').click();
    await stepPast(one, 5);
    const other = await open();
    await other.getByTestId('view-runs').click();
    await stateOf(other, 'Run 1', 'running');
    await stepsPast(other, 'Run 1', await stepOf(other, 'Run 1'));
    assert.equal(await row(other, 'Run 1').getByTestId('delete-runs').count(), 0, 'it is live');

    // A name that is given there stays, though the run is written here.
    await row(other, 'Run 1').getByTestId('run-name').fill('First');
    await row(other, 'Run 1').getByTestId('run-name').press('Enter');
    await stepsPast(other, 'First', await stepOf(other, 'First'));
    await one.getByTestId('pause').click();
    await reaches(one, 'paused');
    const kept = await keptStep(one);
    await stateOf(other, 'First', 'paused');
    await deleteRun(other, 'First');
    await said(other, 'open in another tab, and left: First');
    await row(other, 'First').getByTestId('run-go-on').click();
    await other.getByTestId('file-refused').filter({ hasText: 'open in another tab' }).waitFor();

    await planned(other);
    await other.getByTestId('train').click();
    await stepPast(other, 5);
    await one.getByTestId('pause').click();
    await stepPast(one, kept + 20);
    await other.getByTestId('view-runs').click();
    await stateOf(other, 'Run 1', 'running');
    await stateOf(other, 'First', 'running');
    await one.close();
    await stateOf(other, 'First', 'interrupted');
    await deleteRun(other, 'First');
    await row(other, 'First').waitFor({ state: 'detached' });
    await other.getByTestId('view-train').click();
    await other.getByTestId('stop').click();
    await reaches(other, 'stopped');
    await keptStep(other);
    assertWhole(await savedCsv(other));
    assert.equal((await stored(other)).files.length, 1);

    // Two that begin at once think of the same name.
    const third = await open();
    await planned(third);
    await other.evaluate(() => {
      BroadcastChannel.prototype.postMessage = () => {};
    });
    for (const page of [other, third]) {
      await page.getByTestId('train').click();
      // Until then the steps are those of the run before, and Stop would end the wait for the next one.
      await reaches(page, 'running');
      await stepPast(page, 5);
      await page.getByTestId('stop').click();
      await reaches(page, 'stopped');
    }
    await third.getByTestId('view-runs').click();
    await stateOf(third, 'Run 2 (2)', 'stopped');
  }));

test('an experiment’s file opens in another browser, and nothing else does', async () => {
  let file;
  const asked = { 'evaluation.sample_every': 20, 'downstream.tasks': 'agreement', 'downstream.items': 8 };
  await visit({ gpu: false, hash: hashOf({ ...short, ...asked }) }, async (page) => {
    await planned(page);
    for (const steps of ['40', '30']) {
      await page.getByTestId('field-training.steps').fill(steps);
      await page.getByTestId('field-training.steps').press('Enter');
      await page.waitForFunction((steps) => location.hash.includes(`training.steps=${steps}`), steps);
      await page.getByTestId('train').click();
      await page.waitForFunction(
        (steps) => document.querySelector('[data-testid=status-step]').dataset.value === steps,
        steps,
      );
      await reaches(page, 'finished');
    }
    await page.getByTestId('view-runs').click();
    await stateOf(page, 'Run 2', 'finished');
    await row(page, 'Run 1').getByTestId('run-name').fill('Run 2');
    await row(page, 'Run 1').getByTestId('run-name').press('Enter');
    await row(page, 'Run 2 (2)').getByTestId('choose-run').check();
    assert.match(await page.getByTestId('save-experiment').textContent(), /Save 1 to/);
    await page.getByTestId('choose-all').check();
    file = await saved(page, 'save-experiment');
  });
  assert.match(file.name, /^trainlab-\d{4}-\d\d-\d\d\.experiment\.json$/);
  const written = JSON.parse(file.bytes);
  assert.deepEqual(
    written.runs.map(({ train }) => train.loss.length),
    [30, 40],
  );
  assert.ok(
    written.runs.every(({ findings }) => findings.samples.length > 0 && findings.examples.length === 1),
  );
  // A run that diverged has numbers that JSON lacks, and one that was live is not so elsewhere.
  written.runs[0].train.loss[29] = 'NaN';
  written.runs[0].train.grad_norm[29] = 'Infinity';
  written.runs[0].state = 'running';

  await visit({ gpu: false }, async (page) => {
    await planned(page);
    const give = (content) =>
      page
        .getByTestId('experiment-file')
        .setInputFiles({ name: 'runs.json', mimeType: 'application/json', buffer: Buffer.from(content) });
    const json = JSON.stringify(written);
    const with_ = (change) => {
      const changed = JSON.parse(json);
      change(changed);
      return JSON.stringify(changed);
    };
    await page.getByTestId('view-runs').click();
    const bad = [
      ['{', /no JSON, or is cut short/],
      [json.slice(0, -20), /no JSON, or is cut short/],
      ['null', /no experiment that trainlab saved/],
      [with_((all) => (all.version = 2)), /version is 2; this page reads up to 1/],
      [
        with_((all) => all.runs[1].train.loss.pop()),
        /runs → 2 → train is \[40,39\]; allowed: columns of one/,
      ],
      [with_((all) => (all.runs[1].train.loss[7] = 'low')), /train → loss → 8 is "low"; allowed: a number/],
      [with_((all) => (all.runs[1].state = 'done')), /runs → 2 → state is "done"; allowed: running, paused/],
      [with_((all) => (all.runs[1].id = '../x')), /id is "..\/x"; allowed: letters/],
      [with_((all) => (all.runs[1].id = all.runs[0].id)), /Two runs of the file have the id/],
      [with_((all) => delete all.runs[1].plan.bytes), /plan → bytes is missing; allowed: an object/],
      [
        with_((all) => (all.runs[1].findings.samples[0].pieces[2].text = 7)),
        /findings → samples → 1 → pieces → 3 → text is 7; allowed: a text/,
      ],
    ];
    for (const [content, words] of bad) {
      await give(content);
      await said(page, words);
      assert.equal(await page.getByTestId('run-row').count(), 0, String(words));
    }
    await give(json);
    await said(page, '2 runs were added from runs.json.');
    await stateOf(page, 'Run 2', 'interrupted');
    await stateOf(page, 'Run 2 (2)', 'finished');
    assert.equal(await stepOf(page, 'Run 2 (2)'), 40);
    assert.equal(await number(page, 'storage-weights'), 0);
    assert.equal(await row(page, 'Run 2').getByTestId('run-go-on').count(), 0, 'there are no weights');
    // Dropped anywhere, and nothing is there twice.
    await page.getByTestId('view-train').click();
    await drop(page, 'mine.experiment.json', json);
    await said(page, '0 runs were added from mine.experiment.json; 2 more were here already.');
    assert.equal(await page.getByTestId('run-row').count(), 2);

    const again = JSON.parse((await saved(page, 'save-experiment')).bytes);
    written.runs[0].state = 'interrupted';
    assert.deepEqual({ ...again, written: '' }, { ...written, written: '' }, 'nothing is lost on the way');

    await row(page, 'Run 2').getByTestId('use-settings').click();
    assert.equal(await page.getByTestId('field-training.steps').inputValue(), '30');
    await page.waitForFunction(() => location.hash.includes('model.width=32'));

    await page.getByTestId('view-runs').click();
    await page.getByTestId('choose-all').check();
    const head = page.locator('.panel-head').first();
    await head.getByTestId('delete-runs').filter({ hasText: 'Delete 2 runs' }).click();
    await head.getByRole('button', { name: 'Keep them' }).click();
    assert.equal(await page.getByTestId('run-row').count(), 2);
    await head.getByTestId('delete-runs').click();
    await head.getByTestId('delete-for-good').click();
    await said(page, '2 runs were deleted.');
    await page.getByTestId('no-runs').waitFor();
  });
});

test('runs that the browser cannot store are kept in memory, said once, and can be taken along', () =>
  visit(
    { gpu: false, hash: hashOf({ ...long, 'training.steps': 60 }) },
    async (page, _errors, _requests, open) => {
      await planned(page);
      await page.evaluate(() => {
        const { put } = IDBObjectStore.prototype;
        window.makeRoom = () => {
          IDBObjectStore.prototype.put = put;
        };
        IDBObjectStore.prototype.put = () => {
          throw new DOMException('full', 'QuotaExceededError');
        };
      });
      await page.getByTestId('train').click();
      const notice = page.getByTestId('not-stored');
      await notice
        .filter({ hasText: 'no more room' })
        .filter({ hasText: 'A run is in this page’s memory alone' })
        .waitFor();
      await reaches(page, 'finished');
      assert.equal(await notice.count(), 1);
      const { runs } = JSON.parse((await saved(page, 'take-unsaved')).bytes);
      assert.deepEqual(
        runs[0].train.step,
        Array.from({ length: 60 }, (_, index) => index + 1),
      );
      await page.getByTestId('view-runs').click();
      await stateOf(page, 'Run 1', 'finished');
      assert.equal((await stored(page)).chunks, 0);
      // Ten seconds later at the latest.
      await page.evaluate(() => window.makeRoom());
      await notice.waitFor({ state: 'detached' });
      const other = await open();
      await other.getByTestId('view-runs').click();
      await stateOf(other, 'Run 1', 'finished');
      assert.equal(await stepOf(other, 'Run 1'), 60);

      // A newer page is not kept waiting, and what this one can no longer write stays here.
      await other.evaluate(
        () =>
          new Promise((resolve, reject) => {
            const request = indexedDB.open('trainlab', 1000);
            request.onsuccess = () => resolve(request.result.close());
            request.onerror = reject;
            request.onblocked = () => reject(new Error('it is kept waiting'));
          }),
      );
      await page.getByTestId('view-train').click();
      await page.getByTestId('train').click();
      await notice.filter({ hasText: 'A newer trainlab is open in another tab' }).waitFor();
      await reaches(page, 'finished');
      assert.equal(JSON.parse((await saved(page, 'take-unsaved')).bytes).runs[0].name, 'Run 2');
    },
  ));

test('without a database all goes on, in memory; the weights that were filed are still offered', () =>
  visit({ gpu: false, hash: hashOf(long), prepare }, async (page, _errors, _requests, open) => {
    await planned(page);
    await page.getByTestId('not-stored').filter({ hasText: 'no database' }).waitFor();
    await trainPast(page, 5);
    const kept = await keptStep(page);
    await page.getByTestId('view-runs').click();
    await stateOf(page, 'Run 1', 'paused');
    await page.close({ runBeforeUnload: false });

    // As those of a version that knew no database.
    const later = await open();
    await later
      .getByTestId('kept-offer')
      .filter({ hasText: `It was kept in this browser at step ${kept.toLocaleString('en')}` })
      .waitFor();
    await later.getByTestId('go-on').click();
    await stepPast(later, kept + 2);
    await later.getByTestId('stop').click();
    await reaches(later, 'stopped');
    await keptStep(later, kept + 1);
    await later.getByTestId('view-runs').click();
    await stateOf(later, 'Run 1', 'stopped');
    assert.equal((await stored(later)).files.length, 1, 'the file without a run is gone');
    const last = await open();
    await planned(last);
    await last.getByTestId('view-runs').click();
    await stateOf(last, 'Run 1', 'stopped');
    assert.equal(await last.getByTestId('kept-offer').count(), 0);
  }));

function prepare(page) {
  return page.addInitScript(() => Object.defineProperty(window, 'indexedDB', { value: undefined }));
}

test('past the limit the oldest weights go, those of runs that have ended first; curves stay', () =>
  visit({ gpu: false, hash: hashOf(short) }, async (page) => {
    await planned(page);
    // The oldest is unfinished.
    for (const [name, steps] of [
      ['Run 1', '100000'],
      ['Run 2', '41'],
      ['Run 3', '42'],
      ['Run 4', '43'],
    ]) {
      await page.getByTestId('field-training.steps').fill(steps);
      await page.getByTestId('field-training.steps').press('Enter');
      await page.waitForFunction((steps) => location.hash.includes(`training.steps=${steps}`), steps);
      if (name === 'Run 1') {
        await trainPast(page, 5);
        await keptStep(page);
        await page.reload();
        await planned(page);
      } else {
        await page.getByTestId('train').click();
        await keptStep(page, Number(steps));
      }
    }
    // Each as large as a model of 20 million parameters.
    await page.evaluate(async () => {
      const db = await new Promise((resolve) => {
        indexedDB.open('trainlab').onsuccess = ({ target }) => resolve(target.result);
      });
      const store = db.transaction('runs', 'readwrite').objectStore('runs');
      store.getAll().onsuccess = ({ target }) => {
        for (const run of target.result)
          store.put({ ...run, weights: { ...run.weights, bytes: 240 * 2 ** 20 } });
      };
      await new Promise((resolve) => {
        store.transaction.oncomplete = resolve;
      });
      db.close();
    });
    await page.reload();
    await planned(page);
    await page.getByTestId('view-runs').click();
    // Once the list is read.
    await page.locator(`[data-testid=storage-weights][data-value="${960 * 2 ** 20}"]`).waitFor();
    await page.getByTestId('weights-limit').selectOption(String(256 * 2 ** 20));
    await page.waitForFunction(
      (most) => Number(document.querySelector('[data-testid=storage-weights]').dataset.value) <= most,
      256 * 2 ** 20,
    );
    assert.equal((await stored(page)).files.length, 1);
    assert.equal(await page.getByTestId('run-row').count(), 4);
    assert.equal(
      await row(page, 'Run 1').getByTestId('run-weights').count(),
      1,
      'it may yet be gone on with',
    );
    await row(page, 'Run 2').getByTestId('open-run').click();
    assert.equal(points(await savedCsv(page), 'train').length, 41);

    // So it is where the disk is full: as long as another's file is there, it takes no more.
    await page.workers()[0].evaluate(() => {
      const { createSyncAccessHandle } = FileSystemFileHandle.prototype;
      FileSystemFileHandle.prototype.createSyncAccessHandle = async function () {
        const names = await Array.fromAsync((await navigator.storage.getDirectory()).keys());
        if (names.some((name) => !this.name.startsWith(name.split('.')[0])))
          throw new DOMException('full', 'QuotaExceededError');
        return createSyncAccessHandle.call(this);
      };
    });
    await page.getByTestId('train').click();
    await keptStep(page, 43);
    assert.equal(await page.getByTestId('not-kept').count(), 0);
    await page.getByTestId('view-runs').click();
    await row(page, 'Run 1').getByTestId('run-weights').waitFor({ state: 'detached' });
    assert.equal(await row(page, 'Run 5').getByTestId('run-weights').count(), 1);
  }));
