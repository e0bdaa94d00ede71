// Tailwind's settings. Windmill's own are not in its package, but its colours are: here
// they get the names that its components use. Widgets are exact, the look is near.
import { readFileSync } from 'node:fs';
import forms from '@tailwindcss/forms';

const tokens = new URL(
  '../node_modules/windmill-components/package/assets/tokens/tokens.json',
  import.meta.url,
);
const { light } = JSON.parse(readFileSync(tokens, 'utf8')).tokens;

const opaque = (name) => light[name].length === '#rrggbb'.length;
const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const colour = (name) =>
  opaque(name) ? `rgb(var(--color-${name}) / <alpha-value>)` : light[name];
const named = (prefix) => {
  const names = Object.keys(light).filter((name) => name.startsWith(prefix));
  return Object.fromEntries(
    names.map((name) => [name.slice(prefix.length), colour(name)]),
  );
};

const text = named('text-');
const variables = Object.entries(light).map(([name, hex]) => [
  `--color-${name}`,
  channels(hex).join(' '),
]);

export default {
  theme: {
    extend: {
      colors: {
        ...named(''),
        ...text,
        surface: colour('surface-primary'),
        'surface-inverse': colour('text-primary'),
        nord: { 400: colour('border-normal'), 900: colour('border-accent') },
      },
      textColor: text,
      placeholderColor: text,
      borderColor: { DEFAULT: colour('border-light') },
      borderRadius: { component: '0.25rem' },
      fontFamily: { main: ['Inter', 'sans-serif'] },
      fontSize: { '2xs': ['0.6875rem', '1rem'] },
    },
  },
  plugins: [
    forms,
    ({ addBase }) => addBase({ ':root': Object.fromEntries(variables) }),
  ],
};
