// Both schemes, a phone's width, and the charts' controls.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitsWidth, hashOf, planned, reaches, savedCsv, small, visit } from './reading.mjs';

const short = { ...small, 'training.steps': 30, 'evaluation.every': 10 };

/** Contrast of every text with what lies behind it, by WCAG's formula; the worst first. */
function faintTexts() {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const luminance = (color) => {
    const [r, g, b] = [...rgba(color)].map((part) => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      if (rgba(backgroundColor)[3] > 250) return backgroundColor;
    }
    return getComputedStyle(document.documentElement).backgroundColor;
  };
  const faint = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    // WCAG leaves out controls that cannot be used.
    if (!own || element.closest('[aria-disabled=true], :disabled, .visually-hidden')) continue;
    if (element.getClientRects().length === 0) continue;
    const [one, other] = [luminance(getComputedStyle(element).color), luminance(behind(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5)
      faint.push(`${ratio.toFixed(2)} ${element.tagName} “${element.textContent.trim().slice(0, 40)}”`);
  }
  return faint.sort();
}

/** Whether more than a few pixels of the loss chart are close to a colour. */
function isDrawn(name) {
  const probe = document.createElement('span');
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const [r, g, b] = getComputedStyle(probe)
    .color.match(/[\d.]+/g)
    .map(Number);
  probe.remove();
  const canvas = document.querySelector('[data-testid=chart-loss] canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let pixels = 0;
  for (let i = 0; i < data.length; i += 4) {
    const near = Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 12;
    if (near && data[i + 3] > 200) pixels += 1;
  }
  return pixels > 30;
}

test('both schemes: readable texts, curves in their colours', () =>
  visit({ gpu: false, hash: hashOf(short) }, async (page) => {
    await planned(page);
    await page.getByTestId('train').click();
    await reaches(page, 'finished', 120_000);
    for (const scheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme: scheme });
      // The charts are drawn anew in the scheme's colours, and with the last points, after the page has been painted.
      for (const name of ['train', 'validation', 'reference']) await page.waitForFunction(isDrawn, name);
      assert.deepEqual(await page.evaluate(faintTexts), [], scheme);
      const [paper] = await page.evaluate(() =>
        getComputedStyle(document.documentElement).backgroundColor.match(/\d+/g).map(Number),
      );
      assert.equal(paper > 127, scheme === 'light');
    }
  }));

test('on a phone nothing sticks out sideways, and the buttons are in reach', () =>
  visit({ gpu: false, hash: hashOf(short) }, async (page) => {
    await page.setViewportSize({ width: 400, height: 800 });
    await planned(page);
    await page.getByTestId('train').click();
    await reaches(page, 'finished', 120_000);
    await fitsWidth(page, 400);
    assert.ok((await page.getByTestId('train').boundingBox()).y > 700);
  }));

test('axes, units, smoothing and zoom', () =>
  visit({ gpu: false, hash: hashOf(short) }, async (page, errors) => {
    await planned(page);
    await page.getByTestId('train').click();
    await reaches(page, 'finished', 120_000);
    const chart = page.getByTestId('chart-loss');
    const points = async () => Number(await chart.getAttribute('data-points'));
    // 30 steps and the validation before them share an axis with three more validations. Drawing follows the news.
    await page.locator('[data-testid=chart-loss][data-points="31"]').waitFor();

    const rows = await savedCsv(page);
    const last = rows.filter((row) => row.series === 'train').at(-1);
    const legend = chart.locator('.legend .points b');
    assert.equal(await legend.textContent(), last.loss.toFixed(3));
    await page.getByTestId('unit').selectOption('bits_per_byte');
    assert.equal(await legend.textContent(), last.bits_per_byte.toFixed(3));
    assert.match(await chart.locator('.canvas').getAttribute('aria-label'), /bits per byte/);

    for (const axis of ['tokens', 'seconds', 'flops', 'step']) {
      await page.getByTestId('x-axis').selectOption(axis);
      for (const box of ['log-x', 'log-y', 'log-x', 'log-y']) await page.getByTestId(box).click();
      assert.ok((await points()) >= 31, axis);
    }
    await page.getByTestId('log-x').check();
    assert.equal(await points(), 30, 'step 0 has no place on a logarithmic axis');
    assert.match(await page.getByTestId('chart-caption').textContent(), /no place for step 0/);
    await page.getByTestId('log-x').uncheck();

    const smooth = chart.locator('.legend .line b');
    await page.getByTestId('smoothing').fill('0');
    assert.equal(await smooth.textContent(), last.bits_per_byte.toFixed(3));
    await page.getByTestId('smoothing').fill('0.95');
    assert.notEqual(await smooth.textContent(), last.bits_per_byte.toFixed(3));
    assert.equal(await legend.textContent(), last.bits_per_byte.toFixed(3), 'the raw points stay');

    // The plot of the last axes is there a frame later; this waits until it stands still.
    await chart.locator('.u-over').scrollIntoViewIfNeeded();
    await chart.evaluate((element) => element.scrollIntoView({ block: 'end' }));
    const box = await chart.locator('.u-over').boundingBox();
    await page.mouse.move(box.x + box.width * 0.3, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + 50);
    await page.mouse.up();
    await page.getByTestId('reset-zoom').click();
    await page.getByTestId('reset-zoom').waitFor({ state: 'detached' });

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByTestId('save-png').click(),
    ]);
    assert.equal(download.suggestedFilename(), 'trainlab.png');
    assert.deepEqual(errors, []);
  }));
