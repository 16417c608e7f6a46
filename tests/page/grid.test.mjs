// Promises of the doodle model; run with `node --test` (pytest does, see test_model_in_node.py).

import assert from "node:assert/strict";
import { test } from "node:test";

const ui = new URL("../../spade_paddle/serving/static/ui/", import.meta.url);
const { DONT_CARE, applyChange, copyGrid, createGrid, isEmpty, unionRects, wholeRect } =
  await import(new URL("grid.js", ui));
const { brush, clear, fill, labelAt } = await import(new URL("tools.js", ui));
const { History } = await import(new URL("history.js", ui));

/** A small seeded generator (mulberry32), so that a failure can be repeated. */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}

function painted(grid, label) {
  const cells = new Set();
  grid.cells.forEach((value, index) => value === label && cells.add(index));
  return cells;
}

/** How many groups of touching cells (8 neighbours) there are. */
function groups(grid, cells) {
  const left = new Set(cells);
  let count = 0;
  while (left.size) {
    count += 1;
    const stack = [left.values().next().value];
    left.delete(stack[0]);
    while (stack.length) {
      const index = stack.pop();
      const x = index % grid.width;
      for (let dy = -1; dy <= 1; dy += 1) {
        for (let dx = -1; dx <= 1; dx += 1) {
          const next = index + dy * grid.width + dx;
          if (x + dx >= 0 && x + dx < grid.width && left.delete(next)) stack.push(next);
        }
      }
    }
  }
  return count;
}

test("a stroke of any size and speed has no gaps", () => {
  const random = randomFrom(1);
  for (let round = 0; round < 200; round += 1) {
    const grid = createGrid(64, 48);
    const size = 1 + Math.floor(random() * 9);
    const points = Array.from({ length: 2 + Math.floor(random() * 4) }, () => ({
      x: random() * 64,
      y: random() * 48,
    }));
    // As the page does it: one call for each segment between two pointer events.
    points.slice(1).forEach((point, i) => {
      applyChange(grid, brush(grid, { points: [points[i], point], size, label: 3 }));
    });
    assert.equal(groups(grid, painted(grid, 3)), 1, `round ${round}, size ${size}`);
    for (const point of points) assert.equal(labelAt(grid, point), 3);
  }
});

test("one tap paints a disc of the brush's size", () => {
  const grid = createGrid(32, 32);
  applyChange(grid, brush(grid, { points: [{ x: 16, y: 16 }], size: 10, label: 1 }));
  for (let y = 0; y < 32; y += 1) {
    for (let x = 0; x < 32; x += 1) {
      const near = (x + 0.5 - 16) ** 2 + (y + 0.5 - 16) ** 2 <= 25;
      assert.equal(grid.cells[y * 32 + x], near ? 1 : DONT_CARE);
    }
  }
});

test("a stroke drawn at once equals the same stroke drawn segment by segment", () => {
  const points = [{ x: 3, y: 3 }, { x: 30, y: 9 }, { x: 12, y: 28 }];
  const atOnce = createGrid(32, 32);
  applyChange(atOnce, brush(atOnce, { points, size: 5, label: 2 }));
  const inSteps = createGrid(32, 32);
  for (const pair of [points.slice(0, 2), points.slice(1)]) {
    applyChange(inSteps, brush(inSteps, { points: pair, size: 5, label: 2 }));
  }
  assert.deepEqual(atOnce.cells, inSteps.cells);
});

test("strokes that leave the grid are cut at its edge", () => {
  const grid = createGrid(16, 16);
  const change = brush(grid, { points: [{ x: -40, y: 8 }, { x: 60, y: 8 }], size: 4, label: 1 });
  assert.equal(change.cells.length, 16 * 4);
  assert.deepEqual(change.rect, { x: 0, y: 6, width: 16, height: 4 });
  const outside = brush(grid, { points: [{ x: -40, y: -40 }], size: 4, label: 1 });
  assert.deepEqual(outside, { cells: [], label: 1, rect: null });
});

test("tools do not touch the grid and list only cells that change", () => {
  const grid = createGrid(16, 16);
  applyChange(grid, brush(grid, { points: [{ x: 8, y: 8 }], size: 6, label: 4 }));
  const before = grid.cells.slice();
  assert.equal(brush(grid, { points: [{ x: 8, y: 8 }], size: 6, label: 4 }).cells.length, 0);
  assert.equal(fill(grid, { point: { x: 8, y: 8 }, label: 4 }).rect, null);
  fill(grid, { point: { x: 0, y: 0 }, label: 1 });
  clear(grid);
  assert.deepEqual(grid.cells, before);
});

test("fill takes exactly the connected area, compared with a plain search", () => {
  const random = randomFrom(2);
  for (let round = 0; round < 100; round += 1) {
    const grid = createGrid(23, 17);
    grid.cells.forEach((_, index) => (grid.cells[index] = random() < 0.6 ? 1 : 2));
    const x = Math.floor(random() * 23);
    const y = Math.floor(random() * 17);
    const expected = new Set([y * 23 + x]);
    for (const index of expected) {
      const neighbours = [index - 23, index + 23];
      if (index % 23 > 0) neighbours.push(index - 1);
      if (index % 23 < 22) neighbours.push(index + 1);
      for (const next of neighbours) {
        if (grid.cells[next] === grid.cells[index]) expected.add(next);
      }
    }
    const change = fill(grid, { point: { x: x + 0.3, y: y + 0.9 }, label: 7 });
    assert.deepEqual(new Set(change.cells), expected);
    assert.equal(change.cells.length, expected.size);
  }
});

test("after any sequence of gestures the grid holds only known labels, and undo is exact", () => {
  for (let seed = 10; seed < 20; seed += 1) {
    const random = randomFrom(seed);
    const ids = [0, 1, 2, 3, 5, DONT_CARE];
    const grid = createGrid(40, 30);
    const history = new History();
    const states = [grid.cells.slice()];
    for (let gesture = 0; gesture < 60; gesture += 1) {
      history.begin(grid);
      const label = ids[Math.floor(random() * ids.length)];
      const kind = random();
      const point = () => ({ x: random() * 50 - 5, y: random() * 40 - 5 });
      const steps = kind < 0.7 ? 1 + Math.floor(random() * 5) : 1;
      for (let step = 0; step < steps; step += 1) {
        let change;
        if (kind < 0.7) change = brush(grid, { points: [point(), point()], size: random() * 12, label });
        else if (kind < 0.95) change = fill(grid, { point: point(), label });
        else change = clear(grid);
        applyChange(grid, change);
        history.touch(change.rect);
      }
      if (history.commit()) states.push(grid.cells.slice());
      assert.ok(grid.cells.every((value) => ids.includes(value)));
    }
    const last = states.length - 1;
    for (let i = last - 1; i >= 0; i -= 1) {
      assert.ok(history.undo(grid));
      assert.deepEqual(grid.cells, states[i], `seed ${seed}, undo to state ${i}`);
    }
    assert.equal(history.undo(grid), null);
    for (let i = 1; i <= last; i += 1) {
      assert.ok(history.redo(grid));
      assert.deepEqual(grid.cells, states[i], `seed ${seed}, redo to state ${i}`);
    }
  }
});

test("history keeps the last hundred gestures, and a new gesture ends redo", () => {
  const grid = createGrid(8, 8);
  const history = new History();
  const dab = (label) => {
    history.begin(grid);
    const change = brush(grid, { points: [{ x: 4, y: 4 }], size: 3, label });
    applyChange(grid, change);
    history.touch(change.rect);
    history.commit();
  };
  for (let i = 0; i < 150; i += 1) dab(i % 2);
  let undone = 0;
  while (history.undo(grid)) undone += 1;
  assert.equal(undone, 100);
  assert.ok(history.canRedo);
  dab(9);
  assert.ok(!history.canRedo);
});

test("small helpers", () => {
  const grid = createGrid(4, 2);
  assert.ok(isEmpty(grid));
  assert.deepEqual(wholeRect(grid), { x: 0, y: 0, width: 4, height: 2 });
  const other = copyGrid(grid);
  other.cells[0] = 1;
  assert.ok(isEmpty(grid) && !isEmpty(other));
  const a = { x: 1, y: 1, width: 2, height: 1 };
  assert.deepEqual(unionRects(a, null), a);
  assert.deepEqual(unionRects(a, { x: 0, y: 3, width: 1, height: 1 }), {
    x: 0,
    y: 1,
    width: 3,
    height: 3,
  });
});
