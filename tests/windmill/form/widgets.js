// Finds the fields of Windmill's form by the labels above them, and says what is seen.

const FIELD = '[data-schema-picker]';
export const root = () => document.getElementById('form');
const closest = (element) => element?.closest(FIELD) ?? root();
const text = (element) => element?.textContent.trim().replace(/\s+/g, ' ') ?? '';

/** What is in a field or a row of its list, but not in a field inside it. */
function own(place, selector) {
  const field = closest(place);
  return [...place.querySelectorAll(selector)].filter(
    (found) => closest(found) === field,
  );
}

/** The fields directly in a form, a field, or a row of its list. */
function inside(place) {
  const field = closest(place);
  const all = [...place.querySelectorAll(FIELD)];
  return all.filter((found) => closest(found.parentElement) === field);
}

const header = (field) => own(field, ':scope > .items-end > .inline-flex')[0];
const label = (field) => text(header(field)?.firstElementChild);
const body = (field) => own(field, ':scope > .space-x-1')[0];
const rows = (field) => own(field, ':scope > .space-x-1 .gap-y-1 > .relative');

function fail(path, words) {
  throw new Error(`${path.join(' > ')}: ${words}`);
}

/** The element at a path of labels and row numbers. Throws when it is not there. */
function at(path) {
  return path.reduce((place, step) => {
    if (typeof step === 'number') return rows(place)[step] ?? fail(path, 'no such row');
    const fields = inside(place);
    const found = fields.filter((field) => label(field) === step);
    if (found.length === 1) return found[0];
    return fail(
      path,
      `${found.length} "${step}" among: ${fields.map(label).join(', ')}`,
    );
  }, root());
}

const WIDGETS = {
  schema: '.splitpanes',
  choice: '[aria-label="Toggle button group"]',
  editor: 'textarea[data-code]',
  list: '#arg-input-add-item',
  slider: '.rangeSlider',
  resource: '#resource-picker-select',
  storage: '.wm-file-input',
  file: 'input[type=file]',
  date: 'input[type=date]',
  duration: 'input[type=number][placeholder="_ _"]',
  number: 'input[type=number]',
  password: 'input[type=password]',
  switch: 'input[type=checkbox]',
  chips: 'ul[role=list], span.text-hint.flex-1',
  select: 'input[type=text].cursor-pointer, .dropdown-open',
  text: 'textarea, input[type=text]',
};

/** What a person would call the widget in a field or in a row of a list. */
function widget(place) {
  const found = Object.keys(WIDGETS).find(
    (name) => own(place, WIDGETS[name]).length > 0,
  );
  return found ?? (inside(place).length > 0 ? 'group' : 'none');
}

function describe(field) {
  const place = body(field);
  const seen = {
    label: label(field),
    required: header(field)?.querySelector('.text-red-500') != null,
    kind: text(header(field)?.querySelector('.italic')),
    help: text(own(field, ':scope > .text-secondary > pre')[0]),
    widget: widget(place),
    error: text(own(field, ':scope > .text-red-600')[0]),
  };
  const [input] = own(place, 'input:not([type=checkbox], [type=file]), textarea');
  if (input?.placeholder) seen.hint = input.placeholder;
  if (input?.rows > 1) seen.lines = input.rows;
  if (seen.widget === 'editor') seen.language = input.dataset.code;
  if (seen.widget === 'switch') seen.on = own(place, WIDGETS.switch)[0].checked;
  if (seen.widget === 'choice') {
    const buttons = own(place, `${WIDGETS.choice} button`);
    seen.choices = buttons.map(text);
    seen.chosen = text(buttons.find((button) => button.dataset.state === 'on'));
  }
  if (seen.widget !== 'list') return { ...seen, fields: inside(field).map(describe) };
  seen.rows = rows(field).map((row) => ({
    widget: widget(row),
    fields: inside(row).map(describe),
  }));
  return { ...seen, fields: [] };
}

/** The fields at a path, as a person sees them. */
export const fields = (path) => inside(at(path)).map(describe);

const content = (path) => (typeof path.at(-1) === 'number' ? at(path) : body(at(path)));

export const widgetAt = (path) => widget(content(path));

/** The element of a field or a row that fits, and says these words if any. */
export function part(path, selector, words, nth = 0) {
  const all = own(content(path), selector);
  const found = words ? all.filter((element) => text(element) === words) : all;
  const said = words ? ` "${words}" among: ${all.map(text).join(', ')}` : '';
  return found[nth] ?? fail(path, `no ${selector}${said}`);
}

/** The switch at the head of a list that has its rows typed as JSON. */
export const jsonSwitch = (path) => own(at(path), ':scope > .items-end input')[0];
