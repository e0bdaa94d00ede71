// Renders Markdown texts as Windmill's page does: a JSON list in, a list of HTML out.
import { readFileSync } from 'node:fs';
import { render } from 'svelte/server';
import Markdown from 'svelte-exmarkdown';

const texts = JSON.parse(readFileSync(0, 'utf8'));
const html = texts.map((md) => render(Markdown, { props: { md } }).body);
process.stdout.write(JSON.stringify(html));
