// How the page itself puts a value into each kind of widget: quick, for forms by the
// hundred. drive.mjs does the same as a person does, with a mouse and a keyboard.
import { jsonSwitch, part } from './widgets.js';

const TEXT = 'textarea, input[type=text], input[type=password]';
const OPTIONS = '.dropdown-open ul > li > button';

function type(input, value) {
  input.focus();
  const { set } = Object.getOwnPropertyDescriptor(
    Object.getPrototypeOf(input),
    'value',
  );
  set.call(input, value);
  input.dispatchEvent(new InputEvent('input', { bubbles: true }));
  input.dispatchEvent(new Event('change', { bubbles: true }));
}

function press(element) {
  for (const name of ['pointerdown', 'pointerup']) {
    element.dispatchEvent(new PointerEvent(name, { bubbles: true }));
  }
  element.click();
}

/** Press what an open list offers under these words; if need be, type them first. */
async function choose(words, input, settle) {
  const own = [words, `Add new: ${words}`];
  const like = (told) => own.includes(told) || told.startsWith(`${words} `);
  const offered = () =>
    [...document.querySelectorAll(OPTIONS)].find((option) =>
      like(option.textContent.trim()),
    );
  await settle();
  if (!offered()) type(input(), words);
  for (let turn = 0; !offered(); turn += 1) {
    if (turn > 500) throw new Error(`no list offers "${words}"`);
    await settle();
  }
  press(offered());
}

export const hands = {
  text: (path, value) => type(part(path, TEXT), value),
  password: (path, value) => type(part(path, TEXT), value),
  number: (path, value) => type(part(path, 'input[type=number]'), value),
  editor: (path, value) => type(part(path, 'textarea[data-code]'), value),
  choice: (path, value) => press(part(path, 'button', value)),
  async list(path, rows, settle) {
    if (rows === null) return press(part(path, '#arg-input-add-item'));
    press(jsonSwitch(path));
    await settle();
    return type(part(path, 'textarea[data-code]'), rows);
  },
  switch(path, value) {
    const box = part(path, 'input[type=checkbox]');
    if (box.checked !== value) press(box);
  },
  date(path, value) {
    const [date, time] = value.split('T');
    type(part(path, 'input[type=date]'), date);
    type(part(path, 'input[type=time]'), time);
  },
  async duration(path, seconds, settle) {
    const units = [86400, 3600, 60, 1];
    for (const [nth, unit] of units.entries()) {
      const amount = Math.floor((seconds % (units[nth - 1] ?? Infinity)) / unit);
      type(part(path, 'input[type=number]', '', nth), String(amount));
      await settle();
    }
  },
  async schema(path, value, settle) {
    press(part(path, 'input[type=checkbox]'));
    await settle();
    type(part(path, 'textarea[data-code]'), value);
    await settle();
    press(part(path, 'input[type=checkbox]'));
  },
  async select(path, value, settle) {
    const input = part(path, 'input[type=text]');
    press(input);
    await choose(value, () => input, settle);
  },
  async chips(path, values, settle) {
    press(part(path, '.relative.flex-wrap'));
    const search = () => document.querySelector('.dropdown-open input');
    for (const value of values) await choose(value, search, settle);
    document.body.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true }));
    document.body.click();
  },
  async storage(path, value, settle) {
    if (typeof value !== 'string') return hands.file(path, value);
    press(part(path, 'input[type=checkbox]'));
    await settle();
    return type(part(path, 'textarea[data-code]'), value);
  },
  file(path, { name, content }) {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const dropped = new DataTransfer();
    dropped.items.add(new File([bytes], name));
    const input = part(path, 'input[type=file]');
    input.files = dropped.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  },
};
hands.resource = hands.select;
