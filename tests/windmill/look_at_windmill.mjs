// Pictures a part of a page of a Windmill server, in headless Chromium.
// stdin: {base, token, path, file, view: [width, height], begin, end, width, height}:
// from the top of the element `begin` to the bottom of the element `end`, or to the top of
// the element `before`, and no wider or higher than said.
//
//   node look_at_windmill.mjs CHROMIUM
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const given = JSON.parse(readFileSync(0, 'utf8'));
const { base, token, path, file, view } = given;
const browser = await chromium.launch({
  executablePath: process.argv[2],
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
});
try {
  const context = await browser.newContext({
    reducedMotion: 'reduce',
    timezoneId: 'UTC',
    viewport: { width: view[0], height: view[1] },
  });
  await context.addCookies([{ name: 'token', value: token, url: base }]);
  const page = await context.newPage();
  await page.goto(base + path);
  const seen = (selector) => page.locator(`${selector} >> visible=true`);
  const [first, last] = [seen(given.begin), seen(given.end ?? given.before)];
  for (const one of [first, last]) await one.first().waitFor({ timeout: 30_000 });
  // A graph is laid out after it is there, and nothing tells when.
  await page.waitForTimeout(3000);
  const top = await first.first().boundingBox();
  const bottom = await last.last().boundingBox();
  const edge = 12;
  const x = Math.max(0, top.x - (given.width ? edge : 0));
  const y = Math.max(0, top.y - (given.width ? edge : 0));
  const width = Math.min(given.width ?? top.width, view[0] - x);
  const until = given.end ? bottom.y + bottom.height + edge : bottom.y - edge;
  const height = Math.min(given.height ?? Infinity, until - y, view[1] - y);
  await page.screenshot({
    path: file,
    clip: { x, y, width, height },
    animations: 'disabled',
  });
} finally {
  await browser.close();
}
