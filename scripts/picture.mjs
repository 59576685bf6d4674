// Makes docs/page.png, the README's picture: the page, some minutes into a default run.
//
//   npm run picture [-- --steps 1000]

import { parseArgs } from 'node:util';
import { openPage } from '../tests/page/harness.mjs';
import { buildPage } from './build.mjs';
import { main } from './lib.mjs';

const { values } = parseArgs({ options: { steps: { type: 'string', default: '1000' } } });

await main(async () => {
  await buildPage();
  const { page, close } = await openPage({ gpu: false });
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.getByTestId('train').click();
  const steps = Number(values.steps);
  await page.waitForFunction(
    (least) => {
      const step = document.querySelector('[data-testid=status-step]')?.getAttribute('data-value');
      return Number(step) >= least;
    },
    steps,
    { timeout: 600_000 },
  );
  const notice = page.getByRole('button', { name: /^Put away/ }).first();
  if (await notice.isVisible()) await notice.click();
  await page.screenshot({ path: 'docs/page.png', fullPage: true });
  await close();
});
