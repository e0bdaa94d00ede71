// Reads lines of JSON, [Windmill path, file], from stdin; prints for each, as one line of
// JSON, the Windmill paths of the modules that Windmill finds imported in the script.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as parser from 'windmill-parser-wasm-py-imports';

const wasm = createRequire(import.meta.url).resolve(
  'windmill-parser-wasm-py-imports/windmill_parser_wasm_bg.wasm',
);
parser.initSync({ module: readFileSync(wasm) });
for (const line of readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  const [path, file] = JSON.parse(line);
  const found = parser.parse_py_relative_imports(readFileSync(file, 'utf8'), path);
  process.stdout.write(JSON.stringify(found) + '\n');
}
