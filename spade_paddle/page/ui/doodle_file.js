// A doodle as a file that keeps every label id: a PNG whose pixels are ids and whose palette is the
// labels' colors (it looks like the doodle in any viewer), or JSON. Both carry the label names,
// because another model may number its labels anew.

import { fromBase64, toBase64 } from "./base64.js";
import { rgbOf } from "./color.js";
import { DONT_CARE, resizeGrid } from "./grid.js";
import { Problem } from "./problem.js";
import { decode, encode } from "./vendor/fast-png.js";
import { PAPER, paletteBytes } from "./view.js";

const FORMAT = "spade_paddle doodle";
const NAMES_IN_PNG = "Labels";
// A picture in colors is a doodle when so much of it has exactly the labels' colors.
const EXACT_SHARE = 0.97;

/** What to keep of a doodle: `{ width, height, names, cells }`, `names` by id. */
export function packDoodle(grid, labels) {
  return { width: grid.width, height: grid.height, names: namesById(labels), cells: grid.cells };
}

function namesById(labels) {
  return Object.fromEntries(labels.map((label) => [label.id, label.name_en]));
}

/** A packed doodle as a grid of this size and these labels; what they lack becomes paper. */
export function unpackDoodle({ width, height, names, cells }, labels, size) {
  if (!(width > 0 && height > 0 && cells?.length === width * height)) {
    throw new Problem("doodle_broken");
  }
  const idOfName = new Map(labels.map((label) => [label.name_en, label.id]));
  const newIds = Uint8Array.from({ length: 256 }, (_, id) => idOfName.get(names[id]) ?? DONT_CARE);
  const grid = resizeGrid({ width, height, cells }, size);
  return { ...grid, cells: grid.cells.map((id) => newIds[id]) };
}

/** The bytes of a PNG; without its palette it is smaller, and gray to look at. */
export function doodleToPng(grid, labels, { palette = true } = {}) {
  const { width, height, names, cells } = packDoodle(grid, labels);
  const bytes = paletteBytes(labels);
  const colors = Array.from({ length: 256 }, (_, id) => [...bytes.subarray(id * 3, id * 3 + 3)]);
  const text = { [NAMES_IN_PNG]: toAscii(JSON.stringify(names)) };
  const look = palette ? { palette: colors } : {};
  return encode({ width, height, data: cells, depth: 8, channels: 1, ...look, text });
}

/** The bytes of a PNG of the ids alone, to send: some 2 KB, where the ids are 64. */
export function idsToPng({ width, height, cells }) {
  return encode({ width, height, data: cells, depth: 8, channels: 1 });
}

/** The text of a JSON file. */
export function doodleToJson(grid, labels) {
  const { width, height, names, cells } = packDoodle(grid, labels);
  return JSON.stringify({ format: FORMAT, width, height, labels: names, data: toBase64(cells) });
}

/**
 * Read a file's bytes as a packed doodle, or null when it is another picture (a photo).
 * Throws a Problem (`doodle_broken`) for a doodle that is damaged.
 */
export function readDoodleFile(bytes, labels) {
  if (bytes[0] === 0x7b) return readJson(bytes); // "{"
  const isPng = bytes[0] === 0x89 && bytes[1] === 0x50;
  return isPng ? readPng(bytes, labels) : null;
}

function readJson(bytes) {
  try {
    const content = JSON.parse(new TextDecoder().decode(bytes));
    if (content.format !== FORMAT) throw new Problem("doodle_broken");
    const { width, height, labels } = content;
    return { width, height, names: labels, cells: fromBase64(content.data) };
  } catch {
    throw new Problem("doodle_broken");
  }
}

function readPng(bytes, labels) {
  let png;
  try {
    png = decode(bytes, { checkCrc: true }); // Else one wrong bit would be another label.
  } catch {
    throw new Problem("doodle_broken");
  }
  const known = namesById(labels);
  const { width, height, channels, depth, data, text } = png;
  if (depth > 8) return null;
  if (channels === 1) {
    const cells = depth === 8 ? Uint8Array.from(data) : unpackBits(png);
    if (text?.[NAMES_IN_PNG]) return { width, height, names: readNames(text[NAMES_IN_PNG]), cells };
    const isDoodle = cells.every((id) => id in known || id === DONT_CARE);
    return isDoodle ? { width, height, names: known, cells } : null;
  }
  return fromColors(png, labels, known);
}

function readNames(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem("doodle_broken");
  }
}

/** Pixels of 1, 2 or 4 bits as one number each. */
function unpackBits({ width, height, depth, data }) {
  const cells = new Uint8Array(width * height);
  const perRow = Math.ceil((width * depth) / 8);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const bit = x * depth;
      const byte = data[y * perRow + (bit >> 3)];
      cells[y * width + x] = (byte >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
    }
  }
  return cells;
}

/** A picture drawn in the labels' colors: each pixel the label of the nearest color. */
function fromColors({ width, height, channels, data }, labels, names) {
  if (channels < 3) return null;
  const colors = [...labels.map(({ id, color }) => [id, ...rgbOf(color)]), [DONT_CARE, ...PAPER]];
  const cells = new Uint8Array(width * height);
  let exact = 0;
  for (let i = 0; i < cells.length; i += 1) {
    const pixel = data.subarray(i * channels, i * channels + 3);
    let best = Infinity;
    for (const [id, r, g, b] of colors) {
      const distance = Math.max(
        Math.abs(r - pixel[0]), Math.abs(g - pixel[1]), Math.abs(b - pixel[2]));
      if (distance < best) [best, cells[i]] = [distance, id];
      if (best === 0) break;
    }
    if (best === 0) exact += 1;
  }
  return exact >= EXACT_SHARE * cells.length ? { width, height, names, cells } : null;
}

/** JSON in ASCII alone, which is all that a PNG's text chunk is sure to keep. */
function toAscii(json) {
  return json.replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
