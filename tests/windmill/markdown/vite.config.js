// One file for Node, with Windmill's Markdown component compiled for the server.
import { svelte } from '@sveltejs/vite-plugin-svelte';

export default {
  root: import.meta.dirname,
  logLevel: 'error',
  plugins: [svelte()],
  ssr: { noExternal: true },
  build: { ssr: 'render.js', emptyOutDir: true },
};
