// Promises of the time-lapse: which doodles and pictures it shows, and for how long.

import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./helpers.mjs";

const { History } = await load("history.js");
const { createGrid } = await load("grid.js");
const { ShownPictures, delayOf, framesOf } = await load("time_lapse.js");

/** A history of a row of cells that become 1, 2, 3, … one after the other. */
function historyOf(steps, options) {
  const grid = createGrid(steps + 1, 1);
  const history = new History(grid, options);
  for (let step = 0; step < steps; step += 1) {
    grid.cells[step] = step + 1;
    history.touch({ x: step, y: 0, width: 1, height: 1 });
    history.commit();
  }
  return history;
}

const painted = (cells) => cells.reduce((count, id) => count + (id !== 255), 0);

test("the states are those after each step, from the one before the first to that of now", () => {
  const history = historyOf(4);
  assert.deepEqual(history.states(60).map(painted), [0, 1, 2, 3, 4]);
  assert.deepEqual([...history.states(60)[2]], [1, 2, 255, 255, 255]);
  history.undo();
  assert.deepEqual(history.states(60).map(painted), [0, 1, 2, 3]);
  assert.deepEqual(historyOf(0).states(60).map(painted), [0]);
});

test("many states are thinned evenly, with the first and the last", () => {
  const states = historyOf(90).states(10).map(painted);
  assert.deepEqual(states, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
  assert.equal(historyOf(100).states(60).length, 60);
  assert.deepEqual(historyOf(5).states(1).map(painted), [5]);
});

test("a gesture under way is no state", () => {
  const history = historyOf(2);
  history.grid.cells[2] = 9;
  history.touch({ x: 2, y: 0, width: 1, height: 1 });
  assert.deepEqual(history.states(60).map(painted), [0, 1, 2]);
});

test("each state has its newest picture, or that of the state before", () => {
  const history = historyOf(4);
  const [, one, , three, four] = history.states(60);
  const pictures = new ShownPictures();
  pictures.add({ grid: { cells: three }, blob: "three" });
  pictures.add({ grid: { cells: three }, blob: "three again" });
  pictures.add({ grid: { cells: four }, blob: "four" });
  const album = [{ doodle: { cells: three }, blob: "old three" }, { doodle: { cells: one }, blob: "one" }];
  const blobs = (shown) => framesOf(history, pictures.with(album), shown).map(({ blob }) => blob);
  assert.deepEqual(blobs(null), [null, "one", "one", "three again", "four"]);
  assert.equal(blobs({ blob: "shown" }).at(-1), "shown");
});

test("the pictures kept have a bound, and do not change with the doodle", () => {
  const pictures = new ShownPictures();
  const cells = Uint8Array.of(1, 1, 1);
  for (let blob = 0; blob < 130; blob += 1) pictures.add({ grid: { cells }, blob });
  cells.fill(2);
  assert.deepEqual([pictures.all.length, pictures.all[0][1], pictures.all.at(-1)[1]], [120, 10, 129]);
  assert.deepEqual([...pictures.with([]).values()], [129]);
  const now = framesOf({ states: () => [cells] }, pictures.with([]), null);
  assert.equal(now[0].blob, null, "another doodle has no picture");
});

test("4 to 8 frames a second, and the last one stays", () => {
  assert.deepEqual([delayOf(0, 5), delayOf(4, 5)], [250, 2000]);
  assert.deepEqual([delayOf(0, 40), delayOf(0, 60)], [200, 8000 / 60]);
});
