// Builds a page around Windmill's own form component. Its code editor, Monaco, by far the
// heaviest part, becomes a text area; the drawers that a form can open are left out.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import tailwind from 'tailwindcss';
import { defineConfig } from 'vite';
import theme from './theme.js';

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, '../node_modules');
const library = join(modules, 'windmill-components/package');

const DRAWERS =
  'AIProviderPicker|AppConnectDrawer|RegexGen|ResourceEditorDrawer|' +
  'S3FilePicker|VariableEditor';
const REPLACED = [
  [/\/(Simple)?Editor\.svelte$/, 'CodeEditor.svelte'],
  [new RegExp(`/(${DRAWERS})\\.svelte$`), 'Absent.svelte'],
  [/\/(ExploreAssetButton|FlowChatManager|jsonSchemaResource)\.svelte$/, 'absent.js'],
  [/^@(aws-crypto|codingame|scalar)\//, 'absent.js'],
  [/^(\$app\/.*|graphql|openapi-types)$/, 'absent.js'],
];

const replace = {
  name: 'replace',
  enforce: 'pre',
  resolveId(id, importer) {
    if (!importer?.startsWith(modules)) return null;
    // Only the editor of forms moves fields about; elsewhere the mark that this action
    // leaves, aria-disabled, would have every field count as disabled.
    const still = importer.endsWith('/SchemaForm.svelte') && id.endsWith('-dnd-action');
    const found = REPLACED.find(([pattern]) => pattern.test(id));
    const name = still ? 'absent.js' : found?.[1];
    return name ? join(here, name) : null;
  },
};

const CONTENT = ['*.svelte', '{common,meltComponents,schema,select,text_input}/**/*'];
const content = CONTENT.map((glob) => `${library}/components/${glob}`);

export default defineConfig({
  root: here,
  logLevel: 'error',
  plugins: [replace, svelte({ configFile: false, onwarn: () => {} })],
  resolve: {
    dedupe: ['svelte'],
    alias: [{ find: /^windmill-components\//, replacement: `${library}/` }],
  },
  define: { __pkg__: '{}' },
  css: {
    postcss: {
      plugins: [tailwind({ ...theme, content: [...content, `${here}/*.svelte`] })],
    },
  },
  build: {
    target: 'esnext',
    minify: false,
    reportCompressedSize: false,
    // absent.js has few of the names that are imported from it.
    rolldownOptions: { shimMissingExports: true },
  },
});
