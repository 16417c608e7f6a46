// Promises of the tools that draw shapes and move regions; run with `node --test`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gridFrom, load, randomFrom, rowsOf } from "./helpers.mjs";

const { applyChange, createGrid } = await load("grid.js");
const { ellipse, line, rectangle, toEighth, toSquare } = await load("tools/shapes.js");
const { polygon } = await load("tools/polygon.js");
const { moveRegion } = await load("tools/region.js");
const { draggedCorner, draggedRect, nudgedRect, reachedCorner, rectBetween } =
  await load("tools/frame.js");
const { TOOLS } = await load("tools.js");

const at = (x, y) => ({ x: x + 0.5, y: y + 0.5 });

function drawn(width, height, tool, stroke) {
  const grid = createGrid(width, height);
  const change = tool(grid, { label: 1, size: 1, ...stroke });
  assert.ok(grid.cells.every((id) => id === 255), "the tool itself leaves the grid alone");
  applyChange(grid, change);
  return rowsOf(grid);
}

test("ten tools, each with a key of its own", () => {
  assert.equal(TOOLS.length, 10);
  assert.equal(TOOLS.map(({ key }) => key).join(""), "BELROPSFIM");
});

test("a line is as thick as the brush and reaches both ends", () => {
  const level = drawn(6, 3, line, { from: at(1, 1), to: at(4, 1) });
  assert.deepEqual(level, ["......", ".1111.", "......"]);
  const diagonal = drawn(4, 4, line, { from: at(0, 0), to: at(3, 3) });
  assert.deepEqual(diagonal, ["1...", ".1..", "..1.", "...1"]);
  const thick = drawn(8, 6, line, { from: at(2, 2), to: at(5, 2), size: 3 });
  const row = ".111111.";
  assert.deepEqual(thick, ["........", row, row, row, "........", "........"]);
});

test("a rectangle holds both corner cells, in whichever order, and is cut at the edge", () => {
  const rows = [".....", ".111.", ".111.", "....."];
  assert.deepEqual(drawn(5, 4, rectangle, { from: at(1, 1), to: at(3, 2) }), rows);
  assert.deepEqual(drawn(5, 4, rectangle, { from: at(3, 2), to: at(1, 1) }), rows);
  assert.deepEqual(drawn(3, 3, rectangle, { from: at(1, 1), to: at(99, 99) }), ["...", ".11", ".11"]);
  assert.deepEqual(drawn(3, 3, rectangle, { from: at(-9, -9), to: at(-5, 2) }), ["...", "...", "..."]);
});

test("an ellipse touches the sides of its rectangle and leaves the corners", () => {
  assert.deepEqual(drawn(6, 6, ellipse, { from: at(0, 0), to: at(5, 5) }), [
    ".1111.",
    "111111",
    "111111",
    "111111",
    "111111",
    ".1111.",
  ]);
  const wide = drawn(10, 4, ellipse, { from: at(9, 3), to: at(0, 0) });
  assert.deepEqual(wide, ["..111111..", "1111111111", "1111111111", "..111111.."]);
  assert.deepEqual(drawn(3, 3, ellipse, { from: at(1, 1), to: at(1, 1) }), ["...", ".1.", "..."]);
});

test("shift makes squares, circles and lines of 45 degrees", () => {
  assert.deepEqual(toSquare(at(2, 2), at(7, 4)), at(7, 7));
  assert.deepEqual(toSquare(at(5, 5), at(3, 1)), at(1, 1));
  assert.deepEqual(toSquare(at(5, 5), at(8, 4)), at(8, 2));
  const turned = toEighth({ x: 0, y: 0 }, { x: 10, y: 1 });
  assert.ok(Math.abs(turned.y) < 1e-9 && Math.abs(turned.x - Math.hypot(10, 1)) < 1e-9);
  const diagonal = toEighth({ x: 5, y: 5 }, { x: 1, y: 2 });
  assert.ok(Math.abs(diagonal.x - diagonal.y) < 1e-9);
});

test("a polygon is what its corners go round, with its sides", () => {
  const square = [at(1, 1), at(4, 1), at(4, 3), at(1, 3)];
  const rows = ["......", ".1111.", ".1111.", ".1111.", "......"];
  assert.deepEqual(drawn(6, 5, polygon, { points: square }), rows);
  assert.deepEqual(drawn(6, 5, polygon, { points: [...square].reverse() }), rows);
  const triangle = drawn(7, 4, polygon, { points: [at(0, 3), at(3, 0), at(6, 3)] });
  assert.deepEqual(triangle, ["...1...", "..111..", ".11111.", "1111111"]);
});

test("a polygon that crosses itself has no holes, and a flat one is a line", () => {
  const star = [0, 2, 4, 1, 3].map((i) => {
    const angle = (i * 2 * Math.PI) / 5 - Math.PI / 2;
    return { x: 20 + 18 * Math.cos(angle), y: 20 + 18 * Math.sin(angle) };
  });
  const rows = drawn(40, 40, polygon, { points: star });
  assert.equal(rows[20][20], "1");
  for (const row of rows.slice(12, 20)) assert.match(row, /^\.*1+\.*$/);
  const flat = drawn(4, 3, polygon, { points: [at(0, 1), at(3, 1), at(1, 1)] });
  assert.deepEqual(flat, ["....", "1111", "...."]);
  assert.deepEqual(drawn(3, 3, polygon, { points: [at(1, 1)] }), ["...", ".1.", "..."]);
});

const rect = (x, y, width, height) => ({ x, y, width, height });

test("a moved region leaves the nearest label, left and right before up and down", () => {
  const grid = gridFrom(["000000", "033220", "033220", "111111"]);
  const change = moveRegion(grid, { from: rect(1, 1, 2, 2), to: rect(3, 1, 2, 2) });
  applyChange(grid, change);
  // Column 1 is nearest to the 0 on its left; column 2 to the 2 that stood on its right.
  assert.deepEqual(rowsOf(grid), ["000000", "002330", "002330", "111111"]);
});

test("at the edge of the grid a hole is filled from inside; the whole grid leaves paper", () => {
  const grid = gridFrom(["3311", "3311", "2222"]);
  applyChange(grid, moveRegion(grid, { from: rect(0, 0, 2, 2), to: rect(2, 1, 2, 2) }));
  assert.deepEqual(rowsOf(grid), ["1111", "2133", "2233"]);
  const all = gridFrom(["12", "34"]);
  applyChange(all, moveRegion(all, { from: rect(0, 0, 2, 2), to: rect(1, 0, 2, 2) }));
  assert.deepEqual(rowsOf(all), [".1", ".3"]);
});

test("scaling repeats or drops whole cells", () => {
  const grid = gridFrom(["12....", "34....", "......", "......"]);
  applyChange(grid, moveRegion(grid, { from: rect(0, 0, 2, 2), to: rect(2, 0, 4, 4) }));
  assert.deepEqual(rowsOf(grid), ["..1122", "..1122", "..3344", "..3344"]);
  applyChange(grid, moveRegion(grid, { from: rect(2, 0, 4, 4), to: rect(0, 0, 2, 2) }));
  assert.deepEqual(rowsOf(grid), ["12....", "34....", "......", "......"]);
  const odd = gridFrom(["123..", "456..", "789.."]);
  applyChange(odd, moveRegion(odd, { from: rect(0, 0, 3, 3), to: rect(3, 0, 2, 2) }));
  assert.deepEqual(rowsOf(odd), ["...13", "...79", "....."], "the cells at the middles");
});

test("a region that goes back or beyond the edge changes only what it must", () => {
  const grid = gridFrom(["12", "34"]);
  assert.equal(moveRegion(grid, { from: rect(0, 0, 1, 1), to: rect(0, 0, 1, 1) }).rect, null);
  applyChange(grid, moveRegion(grid, { from: rect(0, 0, 1, 1), to: rect(9, 9, 1, 1) }));
  assert.deepEqual(rowsOf(grid), ["22", "34"]);
});

test("moving and scaling make no label that was not there", () => {
  const random = randomFrom(6);
  const number = (least, most) => least + Math.floor(random() * (most - least));
  for (let round = 0; round < 300; round += 1) {
    const grid = createGrid(20, 15);
    grid.cells.forEach((_, index) => (grid.cells[index] = number(0, 4)));
    const before = new Set(grid.cells);
    const from = rect(number(0, 10), number(0, 8), number(1, 10), number(1, 7));
    const to = rect(number(-8, 20), number(-8, 15), number(1, 25), number(1, 25));
    applyChange(grid, moveRegion(grid, { from, to }));
    for (const id of grid.cells) assert.ok(before.has(id));
  }
});

test("the frame of a region: made, held by a corner, scaled, kept on the grid", () => {
  const grid = { width: 40, height: 30 };
  assert.deepEqual(rectBetween(at(5, 8), at(2, 2), false), rect(2, 2, 4, 7));
  assert.deepEqual(rectBetween(at(2, 2), at(5, 3), true), rect(2, 2, 4, 4));
  const frame = rect(10, 10, 8, 4);
  assert.deepEqual(reachedCorner(frame, { x: 18.5, y: 14.2 }, 1), { x: 1, y: 1 });
  assert.equal(reachedCorner(frame, { x: 14, y: 12 }, 1), null);
  const start = { x: 18, y: 14 };
  assert.deepEqual(draggedRect(frame, start, { x: 20.6, y: 9.9 }, grid), rect(13, 6, 8, 4));
  assert.deepEqual(draggedRect(frame, start, { x: 900, y: -900 }, grid), rect(36, 0, 8, 4));
  const lower = { corner: { x: 1, y: 1 }, start, even: false };
  assert.deepEqual(draggedCorner(frame, { ...lower, end: { x: 22, y: 12 } }), rect(10, 10, 12, 2));
  assert.deepEqual(draggedCorner(frame, { ...lower, end: { x: -99, y: -99 } }), rect(10, 10, 1, 1));
  const upper = { corner: { x: 0, y: 0 }, start: { x: 10, y: 10 }, even: true };
  assert.deepEqual(draggedCorner(frame, { ...upper, end: { x: 2, y: 9 } }), rect(2, 6, 16, 8));
  assert.deepEqual(nudgedRect(frame, { dx: -2, dy: 1, resize: false, grid }), rect(8, 11, 8, 4));
  assert.deepEqual(nudgedRect(frame, { dx: -20, dy: 1, resize: true, grid }), rect(10, 10, 1, 5));
});
