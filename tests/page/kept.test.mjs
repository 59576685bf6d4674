// Runs that the browser keeps: through closed tabs, torn writes and a full disk.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf, number, phase, planned, reaches, stepPast, visit } from './reading.mjs';
import { comeBack, keptStep, long, trainPast } from './runs.mjs';

/** What a hidden tab is told. */
function hide(page) {
  return page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { value: true, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
}

/** The file that would be gone on with: there is one run. */
function keptBytes(page) {
  return page.evaluate(async () => {
    const folder = await navigator.storage.getDirectory();
    const file = async (name) => await (await folder.getFileHandle(name)).getFile();
    const [first] = (await Array.fromAsync(folder.keys())).filter((name) => name.includes('.safetensors'));
    const name = first.replace(/safetensors.*/, 'safetensors');
    const moved = await file(name).catch(() => null);
    const slot = async () => file(`${name}.${await (await file(`${name}.which`)).text()}`);
    return [...new Uint8Array(await (moved ?? (await slot())).arrayBuffer())].join();
  });
}

/** Marks a page that has asked its worker for runs that it does not know. */
const markSearch = (page) =>
  page.addInitScript(() => {
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (command, ...rest) {
      if (command.type === 'find-kept') window.searched = true;
      return postMessage.call(this, command, ...rest);
    };
  });

/** Once the page has looked for what it could offer: a plan that is asked for later is answered later. */
async function offersNothing(page) {
  await page.waitForFunction(() => window.searched);
  const steps = page.getByTestId('field-training.steps');
  await steps.fill('321');
  await steps.press('Enter');
  await page.waitForFunction(() => location.hash === '#training.steps=321');
  assert.equal(await page.getByTestId('kept-offer').count(), 0);
}

test('the browser keeps the last run and offers it; a torn file is never in its place', () =>
  visit({ gpu: false, hash: hashOf(long), prepare: markSearch }, async (page, errors) => {
    await planned(page);
    assert.equal(await page.getByTestId('kept-offer').count(), 0);
    await trainPast(page, 5);
    const kept = await keptStep(page);
    assert.equal(kept, await number(page, 'status-step'));

    // What a tab leaves that is closed while it writes.
    const files = await page.evaluate(async () => {
      const folder = await navigator.storage.getDirectory();
      const [name] = await Array.fromAsync(folder.keys());
      const torn = await (await folder.getFileHandle(`${name}.new`, { create: true })).createWritable();
      await torn.write('half of');
      await torn.close();
      return Array.fromAsync(folder.keys());
    });
    assert.match(files.sort().join(), /^([\w-]{36}).safetensors,\1.safetensors.new$/);
    await comeBack(page);
    const offer = page.getByTestId('kept-offer');
    await offer.waitFor();
    assert.equal(await phase(page), 'idle', 'nothing goes on by itself');
    assert.match(
      await offer.textContent(),
      new RegExp(`at step ${kept.toLocaleString('en')} of 100,000 \\(\\d+ \\w+ \\d{4}`),
    );
    await page.getByTestId('go-on').click();
    await stepPast(page, kept);
    assert.equal(await offer.count(), 0);
    assert.equal(await page.getByTestId('field-training.steps').inputValue(), '100000');

    // After a minute of training, by itself.
    await page.workers()[0].evaluate(() => {
      const now = performance.now.bind(performance);
      performance.now = () => now() + 61_000;
    });
    const scheduled = await keptStep(page, kept + 1);

    // A hidden tab is saved at once, and goes on.
    await hide(page);
    const hidden = await keptStep(page, scheduled + 1);
    await stepPast(page, hidden + 3);

    await comeBack(page);
    await offer.waitFor();
    await page.getByTestId('leave-kept').click();
    await offer.waitFor({ state: 'detached' });
    await comeBack(page);
    await offersNothing(page);

    // Bytes that are no run are not offered.
    await page.evaluate(async () => {
      const folder = await navigator.storage.getDirectory();
      const file = await (await folder.getFileHandle('last.safetensors', { create: true })).createWritable();
      await file.write('no run');
      await file.close();
    });
    await comeBack(page);
    await offersNothing(page);
    assert.deepEqual(errors, []);
  }));

test('weights that a tab had no time to write down are found all the same', () =>
  visit({ gpu: false, hash: hashOf(long) }, async (page) => {
    await planned(page);
    await trainPast(page, 5);
    const kept = await keptStep(page);
    await page.evaluate(
      () =>
        new Promise((done) => {
          indexedDB.open('trainlab').onsuccess = ({ target }) => {
            const runs = target.result.transaction('runs', 'readwrite').objectStore('runs');
            runs.transaction.oncomplete = done;
            runs.getAll().onsuccess = ({ target }) =>
              target.result.forEach((head) => {
                runs.put({ ...head, weights: null });
              });
          };
        }),
    );
    await comeBack(page);
    const offer = page.getByTestId('kept-offer');
    await offer.filter({ hasText: `at step ${kept.toLocaleString('en')} of` }).waitFor();
    assert.equal(await page.getByTestId('leave-kept').textContent(), 'Leave it', 'it is in the list');
    await page.getByTestId('go-on').click();
    await stepPast(page, kept);
  }));

test('without moves two slots and a pointer do; without room it is said once', () =>
  visit({ gpu: false, hash: hashOf(long) }, async (page) => {
    await planned(page);
    await page.workers()[0].evaluate(() => delete FileSystemFileHandle.prototype.move);
    await trainPast(page, 5);
    const first = await keptStep(page);
    await page.getByTestId('pause').click();
    await stepPast(page, first);
    await page.getByTestId('pause').click();
    const kept = await keptStep(page, first + 1);
    const torn = async (which) =>
      page.evaluate(async (which) => {
        const folder = await navigator.storage.getDirectory();
        const pointer = (await Array.fromAsync(folder.keys())).find((name) => name.endsWith('.which'));
        const used = await (await (await folder.getFileHandle(pointer)).getFile()).text();
        const slot = which === 'other' ? (used === 'a' ? 'b' : 'a') : used;
        const name = pointer.replace('.which', `.${slot}`);
        const file = await (await folder.getFileHandle(name)).createWritable();
        await file.write('half');
        await file.close();
      }, which);
    // The next write would be in the slot that the pointer does not name.
    await torn('other');
    await comeBack(page);
    const offer = page.getByTestId('kept-offer');
    await offer.waitFor();
    assert.match(await offer.textContent(), new RegExp(`step ${kept.toLocaleString('en')} of`));

    await page.workers()[0].evaluate(() => {
      FileSystemFileHandle.prototype.createSyncAccessHandle = () =>
        Promise.reject(new DOMException('no room is left', 'QuotaExceededError'));
    });
    await page.getByTestId('go-on').click();
    await stepPast(page, kept + 1);
    await page.getByTestId('pause').click();
    await page.getByTestId('not-kept').waitFor();
    assert.match(await page.getByTestId('not-kept').textContent(), /No room is left.*Training goes on/);
    await page.getByTestId('pause').click();
    await stepPast(page, (await number(page, 'status-step')) + 3);
    await page.getByTestId('stop').click();
    await reaches(page, 'stopped');
    assert.equal(await page.getByTestId('not-kept').count(), 1);
  }));

for (const way of ['a move', 'two slots'])
  test(`with ${way}, a write that is torn anywhere leaves the file from before`, () =>
    visit({ gpu: false, hash: hashOf(long) }, async (page) => {
      await planned(page);
      const [worker] = page.workers();
      if (way === 'two slots') await worker.evaluate(() => delete FileSystemFileHandle.prototype.move);
      await trainPast(page, 5);
      await keptStep(page);
      const kept = await keptBytes(page);
      await worker.evaluate(() => {
        const { prototype } = FileSystemSyncAccessHandle;
        self.torn = 0;
        self.write = prototype.write;
        prototype.write = function (bytes, options) {
          self.torn += 1;
          self.write.call(this, bytes.subarray(0, (bytes.length * (self.torn % 50)) / 50), options);
          throw new DOMException('the tab is gone', 'AbortError');
        };
      });
      for (let torn = 1; torn <= 50; torn++) {
        const step = await number(page, 'status-step');
        await page.getByTestId('step').click();
        await stepPast(page, step);
        await hide(page);
        while ((await worker.evaluate(() => self.torn)) < torn);
        assert.deepEqual(await keptBytes(page), kept, `${torn}/50`);
      }
      assert.equal(await page.getByTestId('not-kept').count(), 1, 'said once');
      await worker.evaluate(() => {
        FileSystemSyncAccessHandle.prototype.write = self.write;
      });
      const step = await number(page, 'status-step');
      await hide(page);
      assert.equal(await keptStep(page, step), step);
      assert.notDeepEqual(await keptBytes(page), kept);
      await page.getByTestId('stop').click();
      await reaches(page, 'stopped');
    }));
