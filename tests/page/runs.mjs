// Runs that are saved and gone on with, as a visitor would.

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

/** As a visitor who comes back: the same browser, the page anew. */
export async function comeBack(page) {
  const address = page.url().replace(/#.*/, '');
  await page.goto('about:blank');
  await page.goto(address);
  await planned(page);
}
