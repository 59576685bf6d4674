// Reading the page as a visitor would, but in numbers.

import { readFile } from 'node:fs/promises';
import { openPage } from './harness.mjs';

/** A model small enough for a software GPU and large enough to pass the unigram line within seconds. */
export const small = {
  'data.text_bytes': 60000,
  'model.layers': 1,
  'model.width': 32,
  'model.heads': 2,
  'model.hidden': 64,
  'model.context': 32,
  'optimizer.learning_rate': 0.01,
  'schedule.warmup_steps': 5,
  'training.batch_size': 4,
  'training.steps': 150,
  'evaluation.every': 50,
  'evaluation.bytes': 2048,
  'evaluation.final_bytes': 2048,
  'evaluation.sample_every': 75,
  'evaluation.sample_tokens': 16,
  'downstream.tasks': '',
};

/** Opens the page for as long as `body` runs, and closes it whatever happens: a browser left open keeps the test alive. */
export async function visit(options, body) {
  const { page, errors, requests, open, close } = await openPage(options);
  try {
    await body(page, errors, requests, open);
  } catch (error) {
    // The first failure is the news, not what it left behind.
    await close().catch(() => {});
    throw error;
  }
  await close();
}

export const hashOf = (config) =>
  Object.entries(config)
    .map(([path, value]) => `${path}=${value}`)
    .join('&');

export async function number(page, testid) {
  const text = await page.getByTestId(testid).getAttribute('data-value');
  return text === null ? Number.NaN : Number(text);
}

export const phase = (page) => page.getByTestId('status').getAttribute('data-phase');

export const reaches = (page, name, timeout = 60_000) =>
  page.locator(`[data-testid=status][data-phase=${name}]`).waitFor({ timeout });

export const planned = (page) => page.getByTestId('plan-parameters').waitFor({ state: 'attached' });

export async function choose(page, device) {
  await page.getByTestId('device-choice').selectOption(device);
  await page.locator(`[data-testid=device][data-kind=${device}]`).waitFor();
  await planned(page);
}

/** The step in the status line once it is past `step`. */
export async function stepPast(page, step) {
  await page.waitForFunction(
    (least) => Number(document.querySelector('[data-testid=status-step]').dataset.value) > least,
    step,
  );
  return number(page, 'status-step');
}

/** Nothing sticks out sideways, once plots have taken the width that there is. */
export const fitsWidth = (page, width) =>
  page.waitForFunction((width) => document.documentElement.scrollWidth === width, width);

/** As on a phone. */
export async function fitsPhone(page) {
  await page.setViewportSize({ width: 360, height: 740 });
  await fitsWidth(page, 360);
}

/** Everything that Save CSV writes, as objects. */
export async function savedCsv(page) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('save-csv').click()]);
  const [head, ...lines] = (await readFile(await download.path(), 'utf8')).trim().split('\n');
  const names = head.split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    return Object.fromEntries(
      names.map((name, i) => [name, i === 0 ? cells[i] : cells[i] === '' ? null : Number(cells[i])]),
    );
  });
}

/**
 * Call before a GPU is chosen. What it returns does to the device that was opened last what a driver's crash would: now,
 * or as soon as the core calls `method` with a descriptor of this `label`.
 */
export async function deviceLoser(page) {
  const [worker] = page.workers();
  await worker.evaluate(() => {
    const request = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (...args) {
      self.opened = await request.apply(this, args);
      return self.opened;
    };
  });
  return (method, label) =>
    worker.evaluate(
      ([method, label]) => {
        if (!method) return self.opened.destroy();
        const original = GPUDevice.prototype[method];
        GPUDevice.prototype[method] = function (descriptor) {
          if (!label || descriptor.label === label) {
            GPUDevice.prototype[method] = original;
            this.destroy();
          }
          return original.call(this, descriptor);
        };
      },
      [method, label],
    );
}
