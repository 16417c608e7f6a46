// Promises of doodle files: exact ids, also for other label sets and sizes; run with `node --test`.

import assert from "node:assert/strict";
import { test } from "node:test";

const ui = new URL("../../spade_paddle/page/ui/", import.meta.url);
const { doodleToJson, doodleToPng, packDoodle, readDoodleFile, unpackDoodle } = await import(
  new URL("doodle_file.js", ui)
);
const { decode, encode } = await import(new URL("vendor/fast-png.js", ui));
const { PAPER } = await import(new URL("view.js", ui));

const COLORS = ["#202020", "#7ec0ee", "#2f6fb5", "#ffffff"];
const labelsOf = (names) =>
  names.map((name, id) => ({ id, name_en: name, name_zh: "", color: COLORS[id] }));
const LABELS = labelsOf(["other", "sky", "water", "snow"]);
const GRID = {
  width: 5,
  height: 3,
  cells: Uint8Array.of(0, 1, 2, 3, 255, 1, 1, 1, 1, 1, 2, 255, 2, 0, 3),
};
const SIZE = { width: 5, height: 3 };
const bytesOf = (text) => new TextEncoder().encode(text);
const isProblem = (code) => (error) => error.code === code;
const colored = (pixels, options = {}) =>
  encode({ width: 4, height: 1, channels: 3, depth: 8, data: Uint8Array.from(pixels.flat()), ...options });

test("a PNG of a doodle holds ids as pixels and the labels' colors as its palette", () => {
  const png = decode(doodleToPng(GRID, LABELS));
  assert.deepEqual([png.width, png.height, png.channels, png.depth], [5, 3, 1, 8]);
  assert.deepEqual(Uint8Array.from(png.data), GRID.cells);
  assert.deepEqual(png.palette[1].slice(0, 3), [0x7e, 0xc0, 0xee]);
  assert.deepEqual(png.palette[255].slice(0, 3), PAPER);
});

for (const [name, write] of [
  ["PNG", doodleToPng],
  ["JSON", (...all) => bytesOf(doodleToJson(...all))],
]) {
  test(`${name}: what was saved is read again, id by id`, () => {
    const packed = readDoodleFile(write(GRID, LABELS), LABELS);
    assert.deepEqual(unpackDoodle(packed, LABELS, SIZE).cells, GRID.cells);
  });

  test(`${name}: another label set is met by name, and what it lacks becomes paper`, () => {
    const others = labelsOf(["snow", "water", "sky"]);
    const packed = readDoodleFile(write(GRID, LABELS), others);
    const expected = GRID.cells.map((id) => [255, 2, 1, 0][id] ?? 255);
    assert.deepEqual(unpackDoodle(packed, others, SIZE).cells, expected);
  });
}

test("label names outside ASCII survive the PNG", () => {
  const labels = labelsOf(["其他", "été", "water", "snow"]);
  const packed = readDoodleFile(doodleToPng(GRID, labels), labels);
  assert.equal(packed.names[0], "其他");
  assert.deepEqual(unpackDoodle(packed, labels, SIZE).cells, GRID.cells);
});

test("another size is reached by the nearest cell, and no id is mixed", () => {
  const packed = packDoodle({ width: 2, height: 1, cells: Uint8Array.of(1, 2) }, LABELS);
  assert.deepEqual([...unpackDoodle(packed, LABELS, { width: 4, height: 2 }).cells], [1, 1, 2, 2, 1, 1, 2, 2]);
  const wide = packDoodle({ width: 4, height: 1, cells: Uint8Array.of(1, 1, 2, 2) }, LABELS);
  assert.deepEqual([...unpackDoodle(wide, LABELS, { width: 2, height: 1 }).cells], [1, 2]);
});

test("a gray PNG of ids from elsewhere is a doodle, of 8, 4 and 2 bits", () => {
  const gray = (depth, data, width) =>
    readDoodleFile(encode({ width, height: 1, channels: 1, depth, data: Uint8Array.from(data) }), LABELS);
  assert.deepEqual([...gray(8, [0, 3, 255], 3).cells], [0, 3, 255]);
  assert.deepEqual([...gray(4, [0x01, 0x23], 4).cells], [0, 1, 2, 3]);
  assert.deepEqual([...gray(2, [0b00011011], 4).cells], [0, 1, 2, 3]);
});

test("a picture in the labels' colors is a doodle; a few smoothed pixels become the nearest", () => {
  const sky = [0x7e, 0xc0, 0xee];
  const water = [0x2f, 0x6f, 0xb5];
  assert.deepEqual([...readDoodleFile(colored([sky, water, PAPER, sky]), LABELS).cells], [1, 2, 255, 1]);
  const many = Array.from({ length: 99 }, () => water);
  const png = encode({
    ...{ width: 100, height: 1, channels: 3, depth: 8 },
    data: Uint8Array.from([...many, [0x33, 0x73, 0xb9]].flat()),
  });
  assert.ok(readDoodleFile(png, LABELS).cells.every((id) => id === 2));
});

test("photos are no doodles", () => {
  const gray = Uint8Array.from([10, 50, 90, 200]);
  assert.equal(readDoodleFile(encode({ width: 4, height: 1, channels: 1, depth: 8, data: gray }), LABELS), null);
  assert.equal(readDoodleFile(colored([[1, 2, 3], [9, 9, 9], [50, 60, 70], [80, 80, 8]]), LABELS), null);
  assert.equal(readDoodleFile(Uint8Array.of(0xff, 0xd8, 0xff), LABELS), null);
});

test("damaged files are told apart from photos", () => {
  const png = doodleToPng(GRID, LABELS);
  assert.throws(() => readDoodleFile(png.slice(0, 40), LABELS), isProblem("doodle_broken"));
  for (const text of ["{", '{"format": "other"}', '{"format": "spade_paddle doodle"}']) {
    assert.throws(() => readDoodleFile(bytesOf(text), LABELS), isProblem("doodle_broken"), text);
  }
  const short = { ...packDoodle(GRID, LABELS), cells: GRID.cells.slice(1) };
  assert.throws(() => unpackDoodle(short, LABELS, SIZE), isProblem("doodle_broken"));
});
