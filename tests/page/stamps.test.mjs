// Promises of stamps and ideas; run with `node --test`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./helpers.mjs";

const { applyChange, createGrid, readRect } = await load("grid.js");
const { chosenStamp, stampsFor } = await load("stamps.js");
const { stamp, stampBox, stampSide } = await load("tools/stamp.js");
const { toolsFor } = await load("tools.js");
const { IDEAS, ideasFor } = await load("ideas.js");
const { labelsForKids } = await load("palette.js");

const NAMES = ["other", "sky", "cloud", "mountain", "snow", "tree", "grass", "water", "sand",
  "rock", "earth", "building", "flower"];
const labelsOf = (names) => names.map((name, id) => ({ id, name_en: name }));
const without = (...gone) => labelsOf(NAMES.filter((name) => !gone.includes(name)));
const namesIn = (cells, labels) =>
  new Set([...new Set(cells)].filter((id) => id !== 255).map((id) => labels[id].name_en));

function placed(name, labels, box) {
  const grid = createGrid(128, 128);
  const { ratio, parts } = stampsFor(labels).find((one) => one.name === name);
  const where = box ?? stampBox(ratio, { from: { x: 64, y: 64 }, side: 100 });
  const change = stamp(grid, { ratio, parts, box: where });
  assert.ok(grid.cells.every((id) => id === 255), "the tool itself leaves the grid alone");
  applyChange(grid, change);
  return { grid, change, ratio, parts };
}

test("each stamp holds exactly its labels", () => {
  const labels = labelsOf(NAMES);
  const wanted = {
    tree: ["tree"],
    house: ["building", "tree", "flower"],
    cloud: ["cloud"],
    mountain: ["mountain", "snow"],
    island: ["water", "sand", "grass", "rock", "tree"],
  };
  assert.deepEqual(stampsFor(labels).map(({ name }) => name), Object.keys(wanted));
  for (const [name, names] of Object.entries(wanted)) {
    assert.deepEqual(namesIn(placed(name, labels).grid.cells, labels), new Set(names), name);
  }
});

test("parts without a label are left out, and a stamp that lacks what it is", () => {
  const noSnow = without("snow", "flower");
  assert.deepEqual(namesIn(placed("mountain", noSnow).grid.cells, noSnow), new Set(["mountain"]));
  const noSand = without("sand");
  assert.ok(namesIn(placed("island", noSand).grid.cells, noSand).has("earth"));
  const names = (labels) => stampsFor(labels).map(({ name }) => name);
  assert.deepEqual(names(without("building", "cloud")), ["tree", "mountain", "island"]);
  assert.deepEqual(names(labelsOf(["cat", "snow", "grass"])), []);
  assert.equal(chosenStamp({ labels: without("tree"), stamp: "tree" }).name, "house");
  assert.equal(chosenStamp({ labels: labelsOf(["cat"]), stamp: "tree" }), undefined);
  const offers = (labels) => toolsFor({ kids: true, labels }).some(({ name }) => name === "stamp");
  assert.deepEqual([offers(labelsOf(NAMES)), offers(labelsOf(["cat"]))], [true, false]);
});

test("a tap is centered and fits the side; a drag goes from corner to corner", () => {
  const tap = stampBox(2, { from: { x: 50, y: 50 }, side: 40 });
  assert.deepEqual(tap, { x: 30, y: 40, width: 40, height: 20, mirrored: false });
  const right = stampBox(2, { from: { x: 10, y: 10 }, to: { x: 50, y: 15 }, side: 40 });
  assert.deepEqual(right, { x: 10, y: 10, width: 40, height: 20, mirrored: false });
  const left = stampBox(2, { from: { x: 50, y: 50 }, to: { x: 40, y: 20 }, side: 40 });
  assert.deepEqual(left, { x: -10, y: 20, width: 60, height: 30, mirrored: true });
  assert.deepEqual([1, 10, 80].map((size) => stampSide({ width: 256, height: 200 }, size)), [6, 40, 200]);
});

test("a mirrored stamp is the same the other way round", () => {
  const labels = labelsOf(NAMES);
  const box = { x: 20, y: 30, width: 68, height: 40, mirrored: false };
  const plain = placed("mountain", labels, box).grid;
  const mirrored = placed("mountain", labels, { ...box, mirrored: true }).grid;
  const rect = { x: 20, width: 68, height: 1 };
  for (let y = 30; y < 70; y += 1) {
    assert.deepEqual(readRect(mirrored, { ...rect, y }), readRect(plain, { ...rect, y }).reverse());
  }
});

test("a stamp keeps what lies around it, is cut at the edge, and twice is nothing new", () => {
  const labels = labelsOf(NAMES);
  const { grid, change, ratio, parts } = placed("tree", labels, { x: -20, y: 90, width: 42, height: 50 });
  assert.equal(change.rect.x, 0);
  assert.equal(change.rect.y + change.rect.height, 128);
  assert.ok(grid.cells.some((id) => id === 5) && grid.cells[127 * 128 + 22] === 255);
  const again = stamp(grid, { ratio, parts, box: { x: -20, y: 90, width: 42, height: 50 } });
  assert.equal(again.rect, null);
  const outside = stamp(grid, { ratio, parts, box: { x: 200, y: 0, width: 42, height: 50 } });
  assert.equal(outside.rect, null);
});

test("ideas need only what children can paint with, and go where a label is missing", () => {
  const labels = labelsOf(NAMES);
  assert.ok(IDEAS.length >= 12);
  assert.equal(ideasFor(labels).length, IDEAS.length);
  const some = without("snow", "building");
  const had = new Set(labelsForKids(some).map((label) => label.name_en));
  const left = ideasFor(some);
  assert.ok(left.length > 0 && left.length < IDEAS.length);
  for (const { name, needs } of left) assert.ok(needs.every((label) => had.has(label)), name);
  assert.deepEqual(ideasFor(labelsOf(["cat", "dog"])), []);
});
