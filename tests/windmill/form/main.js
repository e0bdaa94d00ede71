// The page: window.form puts up one form after another, reads and fills it in.
import './theme.css';
import { flushSync, mount, tick, unmount } from 'svelte';
import { userStore, workspaceStore } from 'windmill-components/stores';
import { hands } from './hands.js';
import Page from './Page.svelte';
import { fields, part, root, widgetAt } from './widgets.js';

workspaceStore.set('demo');
userStore.set({ username: 'demo', email: 'demo@example.com', folders: [] });

// Chromium says so when a form grows while it is being measured; nothing is wrong.
const HARMLESS = /^ResizeObserver loop completed/;
const errors = [];
window.addEventListener('error', ({ error, message }) => {
  if (!HARMLESS.test(message)) errors.push(String(error ?? message));
});
window.addEventListener('unhandledrejection', ({ reason }) => {
  errors.push(String(reason));
});

let fetching = 0;
const { fetch } = window;
window.fetch = async (...request) => {
  fetching += 1;
  try {
    const answer = await fetch(...request);
    await answer.clone().arrayBuffer(); // which may come long after the headers
    return answer;
  } finally {
    fetching -= 1;
  }
};

// Of two jobs that one field starts in the same millisecond, as it does, Windmill watches
// neither to the end. Here no two readings of the clock are the same.
const clock = Date.now;
let latest = 0;
Date.now = () => (latest = Math.max(clock(), latest + 1));

// A spinner, or a list of choices that is still being asked for.
const LOADING = '.animate-spin, .flex-wrap.disabled';

let page;

/** Wait until nothing is loading and the form's value has come to rest. */
async function settle() {
  const began = performance.now();
  let before;
  for (let calm = 0; calm < 3; ) {
    // Long, since a machine that is busy is no failure.
    if (performance.now() - began > 120_000)
      throw new Error('the form does not come to rest');
    await tick();
    await new Promise((resolve) => setTimeout(resolve));
    const loading = fetching > 0 || root().querySelector(LOADING);
    const now = JSON.stringify(page.current().args);
    calm = loading || now !== before ? 0 : calm + 1;
    before = now;
  }
}

window.form = {
  fields,
  part,
  settle,
  widgetAt,
  /** Put up the form of a script or flow: {title, path, kind, schema}. */
  async show(script) {
    if (page) await unmount(page);
    errors.length = 0;
    page = mount(Page, { target: document.getElementById('page'), props: script });
    flushSync();
    await settle();
  },
  /** What it would send, whether Run is offered, and what went wrong. */
  state: () => ({ ...page.current(), errors: [...errors] }),
  /** Put values into widgets, one after another. */
  async fill(steps) {
    for (const [path, value] of steps) {
      const kind = widgetAt(path);
      if (!hands[kind])
        throw new Error(`${path.join(' > ')}: nothing to fill in (${kind})`);
      await hands[kind](path, value, settle);
      await settle();
    }
  },
};
