// Promises of links: what was written is read again, and nothing that is not well-formed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gridFrom, load, randomFrom } from "./helpers.mjs";

const { readLink, writeLink } = await load("share_link.js");
const { doodleToPng } = await load("doodle_file.js");
const { encode } = await load("vendor/fast-png.js");

const labelsOf = (names) => names.map((name, id) => ({ id, name_en: name, name_zh: "", color: "#7ec0ee" }));
const LABELS = labelsOf(["other", "sky", "water", "snow"]);
const GRID = gridFrom(["1111", "1..1", "2222"]);
const SIZE = { width: 4, height: 3 };
const AUTO = { kind: "auto" };
const PLAIN = { seed: null, style: AUTO, held: null };
const read = (text, labels = LABELS, model = "m 1") => readLink(text, labels, SIZE, model);
const broken = (text, why) => assert.throws(() => read(text), (error) => error.code === "link_broken", why);
const base64url = (bytes) => Buffer.from(bytes).toString("base64url");

for (const [name, look] of [
  ["plain", PLAIN],
  ["a seed and a named style", { ...PLAIN, seed: 0, style: { kind: "named", name: "日落 & more=1" } }],
  ["the style that the model chose", { seed: 2 ** 32 - 1, style: AUTO, held: [0.1234, -99.9999, 0, 3.0001] }],
]) {
  test(`doodle and look come back: ${name}`, () => {
    const text = writeLink(GRID, LABELS, look, "m 1");
    assert.match(text, /^[\w.+%&=*-]+$/, "an address takes it as it is");
    assert.deepEqual(read(text), { grid: GRID, look });
  });
}

test("another model's labels are met by name, and its numbers for a style are not taken", () => {
  const text = writeLink(GRID, LABELS, { ...PLAIN, held: [1, 2] }, "m 1");
  const { grid, look } = read(text, labelsOf(["water", "sky"]), "m 2");
  assert.deepEqual(grid.cells, GRID.cells.map((id) => ({ 1: 1, 2: 0 })[id] ?? 255));
  assert.equal(look.held, null);
});

test("a style photo stays at home; a held style goes in its place, if there is one", () => {
  const photo = { kind: "photo", data: "A".repeat(1e5), url: "data:" };
  assert.deepEqual(read(writeLink(GRID, LABELS, { ...PLAIN, style: photo }, "m 1")).look, PLAIN);
  const text = writeLink(GRID, LABELS, { seed: 3, style: photo, held: [1, 2] }, "m 1");
  assert.deepEqual(read(text).look, { seed: 3, style: AUTO, held: [1, 2] });
});

test("only what the doodle shows is named, and no palette is carried", () => {
  const text = writeLink(GRID, LABELS, PLAIN, "m 1");
  const png = Buffer.from(new URLSearchParams(text).get("doodle"), "base64url").toString("latin1");
  assert.ok(png.includes('"sky"') && !png.includes("snow") && !png.includes("PLTE"));
});

test("a doodle of noise is too long for a link", () => {
  const random = randomFrom(1);
  const cells = Uint8Array.from({ length: 256 * 256 }, () => Math.floor(random() * 200));
  const write = () => writeLink({ width: 256, height: 256, cells }, LABELS, PLAIN, "m 1");
  assert.throws(write, (error) => error.code === "link_too_long");
});

test("what is no link of the page is refused", () => {
  const text = writeLink(GRID, LABELS, PLAIN, "m 1");
  const png = doodleToPng(GRID, LABELS);
  const damaged = png.slice();
  damaged[png.length - 30] ^= 1;
  broken("section-2");
  broken("doodle=");
  broken("doodle=!!");
  broken(text.slice(0, -9), "cut off");
  broken(`doodle=${base64url(damaged)}`, "damaged");
  broken(`doodle=${base64url(new TextEncoder().encode('{"format":"spade_paddle doodle"}'))}`, "JSON");
  const photo = encode({ width: 4, height: 3, channels: 3, depth: 8, data: new Uint8Array(36).fill(9) });
  broken(`doodle=${base64url(photo)}`, "another picture");
  broken(`doodle=${base64url(doodleToPng(gridFrom(["....", "....", "...."]), LABELS))}`, "blank");
  for (const seed of ["-1", "1.5", "4294967296", "x"]) broken(`${text}&seed=${seed}`, seed);
  for (const numbers of [[NaN], [101], Array(1025).fill(1)]) {
    const light = base64url(new Uint8Array(Float32Array.from(numbers).buffer));
    broken(`${text}&light=${light}&model=m+1`, numbers[0]);
  }
});

test("more than the service would take is not even unpacked", () => {
  const large = encode({ width: 2048, height: 1024, channels: 1, depth: 8, data: new Uint8Array(2 ** 21) });
  broken(`doodle=${base64url(large)}`, "by its size");
  const small = doodleToPng(GRID, LABELS);
  const twice = Buffer.concat([small.subarray(0, 33), large.subarray(8)]);
  broken(`doodle=${base64url(twice)}`, "by a second size");
  broken(`${writeLink(GRID, LABELS, PLAIN, "m 1")}&pad=${"a".repeat(32000)}`, "by its length");
});
