// Opens the built page in Chromium, for page tests. The page is served under a sub-path, as on a shared web host.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { withGpu, withoutGpu } from '../../scripts/browser.mjs';
import { root } from '../../scripts/lib.mjs';
import { serve } from '../../scripts/serve.mjs';
import { chrome } from '../../scripts/setup.mjs';

/**
 * The page in a browser of its own: `page` is Playwright's, `errors` fills with whatever goes wrong in the page or its
 * workers, `requests` with the addresses that were asked for. `hash` is the address's fragment, without #; `folder` another
 * page's; `prepare` is done to the page before it is there. `open` opens the same, or another address, in another tab. `close`
 * ends all, and fails the test if there were errors: a test that provokes some looks at them and empties the list.
 */
export async function openPage({ gpu, hash = '', folder = join(root, 'dist'), prepare }) {
  const requests = [];
  const seen = (url) => requests.push(url);
  const server = await serve({ folder, base: '/lab/', port: 0, seen });
  const browser = await chromium.launch({ executablePath: await chrome(), args: gpu ? withGpu : withoutGpu });
  const errors = [];
  const close = async () => {
    await browser.close();
    await server.close();
    assert.deepEqual(errors, [], 'the page reported errors');
  };
  try {
    const context = await browser.newContext();
    const address = `${server.url}${hash && `#${hash}`}`;
    const open = async (at = address, prepare = () => {}) => {
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      collectErrors(page, errors);
      await prepare(page);
      await page.goto(at);
      return page;
    };
    const page = await open(address, prepare);
    const adapter = await page.evaluate(async () => Boolean(await navigator.gpu?.requestAdapter()));
    assert.equal(
      adapter,
      gpu,
      gpu ? 'no WebGPU adapter: this test would test nothing' : 'WebGPU is still there',
    );
    return { page, errors, requests, open, close };
  } catch (error) {
    await browser.close();
    await server.close();
    throw new Error(`the page did not open; it reported ${JSON.stringify(errors)}`, { cause: error });
  }
}

function collectErrors(page, errors) {
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on(
    'response',
    (response) => response.status() >= 400 && errors.push(`${response.status()} ${response.url()}`),
  );
  page.on('requestfailed', (request) => errors.push(`${request.failure()?.errorText} ${request.url()}`));
  page.on('crash', () => errors.push('the page crashed'));
}
