// Makes a picture of a browser small: a PNG of at most 64 colours, the most frequent ones,
// with a line of text inside.
//
//   node small_picture.mjs FILE KEYWORD TEXT
import { readFileSync, writeFileSync } from 'node:fs';
import { crc32, deflateSync, inflateSync } from 'node:zlib';

const COLOURS = 64;
const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);

// The pixels of a PNG as a browser writes it: 8 bits, RGB or RGBA, not interlaced.
function read(file) {
  const data = readFileSync(file);
  const parts = [];
  let head;
  for (let at = 8; at < data.length; at += 12 + data.readUInt32BE(at)) {
    const body = data.subarray(at + 8, at + 8 + data.readUInt32BE(at));
    const kind = data.toString('latin1', at + 4, at + 8);
    if (kind === 'IHDR') head = body;
    if (kind === 'IDAT') parts.push(body);
  }
  const [width, height] = [head.readUInt32BE(0), head.readUInt32BE(4)];
  const [bits, type, , , interlaced] = head.subarray(8);
  if (bits !== 8 || ![2, 6].includes(type) || interlaced) throw new Error(`odd PNG: ${file}`);
  const size = type === 6 ? 4 : 3;
  const raw = inflateSync(Buffer.concat(parts));
  const row = width * size;
  const out = Buffer.alloc(height * row);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (row + 1)];
    for (let x = 0; x < row; x++) {
      const at = y * row + x;
      const left = x >= size ? out[at - size] : 0;
      const up = y ? out[at - row] : 0;
      const corner = y && x >= size ? out[at - row - size] : 0;
      const [a, b, c] = [up - corner, left - corner, left + up - 2 * corner].map(Math.abs);
      const paeth = a <= b && a <= c ? left : b <= c ? up : corner;
      const guess = [0, left, up, (left + up) >> 1, paeth][filter];
      out[at] = raw[y * (row + 1) + 1 + x] + guess;
    }
  }
  return { width, height, size, pixels: out };
}

const chunk = (kind, body) => {
  const inner = Buffer.concat([Buffer.from(kind, 'latin1'), body]);
  const out = Buffer.alloc(inner.length + 8);
  out.writeUInt32BE(body.length, 0);
  inner.copy(out, 4);
  out.writeUInt32BE(crc32(inner), inner.length + 4);
  return out;
};

const [, , file, keyword, text] = process.argv;
const { width, height, size, pixels } = read(file);
const counts = new Map();
const colour = (at) => (pixels[at] << 16) | (pixels[at + 1] << 8) | pixels[at + 2];
for (let at = 0; at < pixels.length; at += size) {
  const one = colour(at);
  counts.set(one, (counts.get(one) ?? 0) + 1);
}
const palette = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
const kept = palette.slice(0, COLOURS).map(([one]) => one);
const distance = (a, b) =>
  [16, 8, 0].reduce((sum, n) => sum + (((a >> n) & 255) - ((b >> n) & 255)) ** 2, 0);
const nearest = new Map();
for (const one of counts.keys()) {
  let best = 0;
  for (let n = 1; n < kept.length; n++)
    if (distance(one, kept[n]) < distance(one, kept[best])) best = n;
  nearest.set(one, best);
}
const rows = Buffer.alloc(height * (width + 1));
for (let y = 0; y < height; y++)
  for (let x = 0; x < width; x++)
    rows[y * (width + 1) + 1 + x] = nearest.get(colour((y * width + x) * size));
const head = Buffer.alloc(13);
head.writeUInt32BE(width, 0);
head.writeUInt32BE(height, 4);
head.set([8, 3, 0, 0, 0], 8);
const colours = Buffer.from(kept.flatMap((one) => [one >> 16, (one >> 8) & 255, one & 255]));
writeFileSync(
  file,
  Buffer.concat([
    SIGNATURE,
    chunk('IHDR', head),
    chunk('tEXt', Buffer.from(`${keyword}\0${text}`, 'latin1')),
    chunk('PLTE', colours),
    chunk('IDAT', deflateSync(rows, { level: 9, memLevel: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]),
);
