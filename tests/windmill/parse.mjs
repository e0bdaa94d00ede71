// Reads paths of Python scripts from stdin, one a line; prints for each, as one line of
// JSON, what Windmill's parser infers of its main.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as parser from 'windmill-parser-wasm-py';

const wasm = createRequire(import.meta.url).resolve(
  'windmill-parser-wasm-py/windmill_parser_wasm_bg.wasm',
);
parser.initSync({ module: readFileSync(wasm) });
for (const path of readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  process.stdout.write(parser.parse_python(readFileSync(path, 'utf8')) + '\n');
}
