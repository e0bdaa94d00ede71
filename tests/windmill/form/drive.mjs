// Drives the built page in headless Chromium, by lines of JSON.
// stdin: {"command": ...}; stdout, for each: {"value": ...} or {"error": "..."}.
// When a form runs a job for its live choices, {"id": ..., "job": ...} goes out and
// {"answer": id, "result": ...} comes in. Nothing leaves this machine: the browser gets
// the page and a workspace's answers from here; other requests are refused and kept.
//
//   node drive.mjs PAGE CHROMIUM
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const [, , PAGE, CHROMIUM] = process.argv;
const FONT =
  '../node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2';
const ORIGIN = 'http://localhost';
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
const QUIET = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

// --- the workspace ----------------------------------------------------------------

/** What the form left in the workspace, and what it asked for in vain. */
const workspace = { secrets: {}, stored: {}, refused: [] };
const jobs = new Map();

const API = [
  [/resources\/type\/listnames$/, () => ['togetherai', 's3']],
  [
    /resources\/list$/,
    () => [{ path: 'u/demo/together', resource_type: 'togetherai' }],
  ],
  [
    /variables\/create$/,
    ({ given }) => {
      workspace.secrets[given.path] = given.value;
      return given.path;
    },
  ],
  [
    /variables\/update\/(.*)$/,
    ({ given, found }) => {
      workspace.secrets[found[1]] = given.value;
      return found[1];
    },
  ],
  [
    /job_helpers\/upload_s3_file$/,
    ({ request, query }) => {
      const number = Object.keys(workspace.stored).length + 1;
      const key = `windmill_uploads/${number}.${query.get('file_extension')}`;
      workspace.stored[key] = request.postDataBuffer().toString('base64');
      return { file_key: key };
    },
  ],
  [
    /jobs\/run\/dynamic_select$/,
    ({ given }) => {
      const id = randomUUID();
      const { entrypoint_function: name, args, runnable_ref } = given;
      const result = new Promise((resolve) => jobs.set(id, { result: null, resolve }));
      jobs.get(id).result = result;
      say({ id, job: { path: runnable_ref.path, name, arguments: args } });
      return id;
    },
  ],
  [/jobs_u\/queue\/cancel\//, () => 'cancelled'],
  [
    /jobs_u\/getupdate_sse\/(.*)$/,
    async ({ found }) => {
      const only_result = await jobs.get(found[1]).result;
      const update = { type: 'update', completed: true, only_result };
      return { events: `data: ${JSON.stringify(update)}\n\n` };
    },
  ],
];

async function answer(route) {
  const request = route.request();
  const url = new URL(request.url());
  if (url.origin === ORIGIN && !url.pathname.startsWith('/api/')) {
    return route.fulfill(file(url.pathname));
  }
  for (const [pattern, reply] of url.origin === ORIGIN ? API : []) {
    const found = pattern.exec(url.pathname);
    if (!found) continue;
    const json = /json/.test(request.headers()['content-type'] ?? '');
    const given = json ? request.postDataJSON() : null;
    const value = await reply({ request, given, found, query: url.searchParams });
    if (typeof value === 'string') {
      return route.fulfill({ body: value, contentType: 'text/plain' });
    }
    if (!value.events) return route.fulfill({ json: value });
    return route.fulfill({ body: value.events, contentType: 'text/event-stream' });
  }
  workspace.refused.push(`${request.method()} ${url}`);
  return route.abort();
}

function file(path) {
  if (path === '/Inter-Variable.woff2') {
    return { body: readFileSync(fileURLToPath(new URL(FONT, import.meta.url))) };
  }
  const name = path === '/' ? '/index.html' : path;
  return { body: readFileSync(join(PAGE, name)), contentType: TYPES[extname(name)] };
}

// --- the person -------------------------------------------------------------------

const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: QUIET,
  timeout: 120_000,
});
const page = await browser.newPage({
  reducedMotion: 'reduce',
  timezoneId: 'UTC',
  viewport: { width: 832, height: 1000 },
  deviceScaleFactor: 1,
});
page.setDefaultTimeout(60_000);
await page.route('**/*', answer);
await page.goto(ORIGIN);

const call = ([method, words]) => window.form[method](...words);
const inPage = (method, ...words) => page.evaluate(call, [method, words]);
const part = async (...words) =>
  (await page.evaluateHandle(call, ['part', words])).asElement();
const state = async () => ({ ...(await inPage('state')), workspace });

const options = page.locator('.dropdown-open ul > li > button');

/** Press what an open list offers under these words; if need be, type them first. */
async function choose(words, input) {
  const exact = options.filter({ has: page.getByText(words, { exact: true }) });
  if ((await exact.count()) > 0) return exact.first().click();
  await input.fill(words);
  const plain = words.replace(/[^\w ]/g, '\\$&');
  // "Add new" is a select's own words for it, "as typed" those of a picker of models.
  const like = new RegExp(`^\\s*(Add new: ${plain}|${plain}|${plain} .*)\\s*$`);
  return options.filter({ hasText: like }).first().click();
}

const TEXT = 'textarea, input[type=text], input[type=password]';

/** How a person puts a value into each kind of widget, as in hands.js. */
const HANDS = {
  text: async (path, value) => (await part(path, TEXT)).fill(value),
  password: async (path, value) => (await part(path, TEXT)).fill(value),
  number: async (path, value) =>
    (await part(path, 'input[type=number]')).fill(String(value)),
  async date(path, value) {
    const [date, time] = value.split('T');
    await (await part(path, 'input[type=date]')).fill(date);
    await (await part(path, 'input[type=time]')).fill(time);
  },
  editor: async (path, value) => (await part(path, 'textarea[data-code]')).fill(value),
  switch: async (path, value) => {
    const on = await (await part(path, 'input[type=checkbox]')).isChecked();
    if (on !== value) await (await part(path, 'label')).click();
  },
  choice: async (path, value) => (await part(path, 'button', value)).click(),
  async select(path, value) {
    const input = await part(path, 'input[type=text]');
    await input.click();
    await choose(value, input);
  },
  async chips(path, values) {
    await (await part(path, '.relative.flex-wrap')).click();
    for (const value of values) {
      await choose(value, page.getByPlaceholder('Search...'));
      await inPage('settle');
    }
    await page.locator('h1').click();
  },
  async duration(path, seconds) {
    const parts = [86400, 3600, 60, 1];
    for (const [nth, unit] of parts.entries()) {
      const amount = Math.floor((seconds % (parts[nth - 1] ?? Infinity)) / unit);
      await (await part(path, 'input[type=number]', '', nth)).fill(String(amount));
    }
  },
  async schema(path, value) {
    if (typeof value === 'string') {
      await (await part(path, 'label')).click();
      await (await part(path, 'textarea[data-code]')).fill(value);
      return (await part(path, 'label')).click();
    }
    for (const [name, words] of Object.entries(value)) {
      await (await part(path, 'button')).click();
      await page.getByPlaceholder('Field name').fill(name);
      await page.keyboard.press('Enter');
      for (const word of words) {
        await inPage('settle');
        await (await part(path, 'button, label', word)).click();
      }
    }
  },
  async list(path, rows) {
    if (rows === null) return (await part(path, '#arg-input-add-item')).click();
    throw new Error(`${path.join(' > ')}: a person adds rows one by one`);
  },
  async file(path, { name, content }) {
    const buffer = Buffer.from(content, 'base64');
    const mimeType = 'application/octet-stream';
    await (
      await part(path, 'input[type=file]')
    ).setInputFiles({ name, mimeType, buffer });
  },
};
HANDS.storage = HANDS.file;
HANDS.resource = HANDS.select;

// --- the commands -----------------------------------------------------------------

const COMMANDS = {
  async show({ script }) {
    Object.assign(workspace, { secrets: {}, stored: {}, refused: [] });
    try {
      await inPage('show', script);
    } catch (error) {
      // Once a component has crashed, the page is good for nothing.
      await page.reload();
      throw error;
    }
    return { ...(await state()), fields: await inPage('fields', []) };
  },
  async fill({ steps }) {
    await inPage('fill', steps);
    return state();
  },
  async act({ steps }) {
    for (const [path, value] of steps) {
      const kind = await inPage('widgetAt', path);
      if (!HANDS[kind])
        throw new Error(`${path.join(' > ')}: nothing to fill in (${kind})`);
      await HANDS[kind](path, value);
      await inPage('settle');
    }
    return state();
  },
  state,
  fields: ({ path }) => inPage('fields', path),
  async options({ path }) {
    await (await part(path, 'input[type=text]')).click();
    await inPage('settle');
    const found = await options.allInnerTexts();
    await page.locator('h1').click();
    return found;
  },
  async picture({ file: path }) {
    await page.mouse.move(0, 0);
    await page.evaluate(() => document.activeElement?.blur());
    await page.locator('main').screenshot({ path, animations: 'disabled' });
    return null;
  },
};

const lines = [];
let wake = () => {};
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const message = JSON.parse(line);
    if (message.answer) return jobs.get(message.answer).resolve(message.result);
    lines.push(message);
    return wake();
  })
  .on('close', () => {
    lines.push(null);
    wake();
  });

for (;;) {
  if (lines.length === 0) await new Promise((resolve) => (wake = resolve));
  const message = lines.shift();
  if (message === null) break;
  const { command, ...given } = message;
  try {
    say({ value: await COMMANDS[command](given) });
  } catch (error) {
    say({ error: error.message });
  }
}
await page.unrouteAll({ behavior: 'ignoreErrors' });
await browser.close();
process.exit();
