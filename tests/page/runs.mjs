// Runs that are saved and gone on with, as a visitor would.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { number, planned, reaches, small, stepPast } from './reading.mjs';

/** Never done before its test is. */
export const long = {
  ...small,
  'training.steps': 100000,
  'evaluation.every': 0,
  'evaluation.sample_every': 0,
};

/** Of the saved table: step and loss. */
export const points = (rows, series) =>
  rows.filter((row) => row.series === series).map(({ step, loss }) => [step, loss]);

/** One curve, each step once. */
export function assertWhole(rows) {
  const steps = points(rows, 'train').map(([step]) => step);
  assert.deepEqual(
    steps,
    Array.from(steps, (_, index) => index + 1),
  );
}

/** What a button downloads. */
export async function saved(page, testid) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId(testid).click()]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

export function drop(page, name, bytes) {
  return page.evaluate(
    ([name, bytes]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([Uint8Array.from(bytes)], name));
      window.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, cancelable: true }));
    },
    [name, [...Buffer.from(bytes)]],
  );
}

/** Train and pause past `step`; the step that it stands at. */
export async function trainPast(page, step) {
  await page.getByTestId('train').click();
  // Until then the steps are those of the run before.
  await reaches(page, 'running');
  await stepPast(page, step);
  await page.getByTestId('pause').click();
  await reaches(page, 'paused');
}

export async function keptStep(page, least = 1) {
  await page.waitForFunction(
    (least) => Number(document.querySelector('[data-testid=kept]')?.dataset.value) >= least,
    least,
  );
  return number(page, 'kept');
}

/** Once the database says of each run that it is finished: with that the last points are written. */
export const allWritten = (page) =>
  page.waitForFunction(
    () =>
      new Promise((resolve) => {
        indexedDB.open('trainlab').onsuccess = ({ target: { result: db } }) => {
          const runs = db.transaction('runs').objectStore('runs').getAll();
          runs.onsuccess = () => {
            db.close();
            resolve(runs.result.every(({ state }) => state === 'finished'));
          };
        };
      }),
  );

/** As a visitor who comes back: the same browser, the page anew. */
export async function comeBack(page) {
  const address = page.url().replace(/#.*/, '');
  await page.goto('about:blank');
  await page.goto(address);
  await planned(page);
}
