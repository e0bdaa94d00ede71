// Opens pages of the site in headless Chromium, on a phone and on a wide screen, and says
// what is wrong with each: a line of JSON per page, a list of problems.
//
// Those of the JSON list JUDGED are looked at by axe, too. DRAWN are the pages with graphs,
// all of which Mermaid has to understand, also of those that are not opened; its verdict
// and what the search finds are the last line.
//
//   node look_at_site.mjs CHROMIUM AXE ADDRESS JUDGED DRAWN PATH...
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [, , program, axe, site, judged, drawn, ...paths] = process.argv;
const JUDGED = new Set(JSON.parse(judged));
const AXE = readFileSync(axe, 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'];

const browser = await chromium.launch({
  executablePath: program,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  timeout: 120_000,
});
const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
// Not a page's fault: a machine may do much else meanwhile.
context.setDefaultTimeout(120_000);
const violations = async (page, number) => {
  await page.evaluate(AXE);
  // What is the same on each page, and code in colours, is looked at on the first ones.
  const exclude = number < 3 ? [] : [['.md-sidebar'], ['.md-header'], ['.highlight']];
  const found = await page.evaluate(
    ([values, exclude]) =>
      window.axe.run(
        { include: [['body']], exclude },
        { runOnly: { type: 'tag', values }, preload: false, resultTypes: ['violations'] },
      ),
    [RULES, exclude],
  );
  return found.violations.map((one) => {
    const where = one.nodes.slice(0, 2).map((node) => node.html.slice(0, 120));
    return `${one.id}: ${one.help} (${one.nodes.length}): ${where.join(' ')}`;
  });
};

// One tab goes from page to page: a new one for each costs three times the time. A fresh
// one goes on after many, so that its memory is bounded.
const MANY = 60;
let problems = [];
let page;
for (const [number, path] of paths.entries()) {
  problems = [];
  if (number % MANY === 0) {
    await page?.close();
    page = await context.newPage();
    page.on('console', (m) => m.type() === 'error' && problems.push(m.text()));
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('request', (request) => {
      const own = [site, 'data:', 'blob:'].some((start) => request.url().startsWith(start));
      if (!own) problems.push(`asks ${request.url()}`);
    });
  }
  await page.goto(site + path);
  const wide = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  if (wide > 1) problems.push(`is ${wide} pixels wider than a phone`);
  if (JUDGED.has(path)) problems.push(...(await violations(page, number)));
  console.log(JSON.stringify({ path, problems }));
}
// The graphs, from the files, as a page has put drawings in their places.
const DRAWN = JSON.parse(drawn);
await page.goto(site + DRAWN[0]);
const graphs = await page.evaluate(async ([site, paths]) => {
  const wrong = [];
  let count = 0;
  for (const path of paths) {
    const text = await (await fetch(site + path)).text();
    const whole = new DOMParser().parseFromString(text, 'text/html');
    for (const one of whole.querySelectorAll('pre.mermaid')) {
      await window.mermaid.parse(one.textContent).catch((e) => wrong.push(`${path}: ${e}`));
      count += 1;
    }
  }
  return { count, wrong };
}, [site, DRAWN]);
// The search finds a page.
await page.setViewportSize({ width: 1280, height: 800 });
await page.goto(`${site}${paths[0]}?search`);
await page.keyboard.press('/');
await page.locator('.md-search__input').fill('fallback_models');
const first = page.locator('.md-search-result__link').first();
await first.waitFor();  // the index of all pages is made first
console.log(JSON.stringify({ graphs, found: await first.getAttribute('href') }));
await browser.close();
