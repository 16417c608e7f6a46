// Promises of the doodle model; run with `node --test` (pytest does, see test_model_in_node.py).

import assert from "node:assert/strict";
import { test } from "node:test";
import { cellsOf, load, randomFrom } from "./helpers.mjs";

const {
  DONT_CARE, applyChange, clipRect, copyGrid, createGrid, doubleGrid, isEmpty, paintedShare, unionRects,
  wholeRect, withoutGaps,
} = await load("grid.js");
const { brush } = await load("tools/brush.js");
const { clear, fill, labelAt } = await load("tools/fill.js");
const { History } = await load("history.js");
const { pack, unpack } = await load("packed.js");

function painted(grid, label) {
  const cells = new Set();
  grid.cells.forEach((value, index) => value === label && cells.add(index));
  return cells;
}

/** How many groups of touching cells (8 neighbors) there are. */
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

test("a stroke is every cell within reach of its segments, compared with a plain search", () => {
  const random = randomFrom(5);
  const point = () => ({ x: random() * 40 - 4, y: random() * 40 - 4, pressure: random() });
  for (let round = 0; round < 200; round += 1) {
    const [a, b, size] = [point(), point(), 2 + random() * 14];
    const radius = ({ pressure }) => Math.max(1, size * (0.3 + 0.7 * pressure)) / 2;
    const grid = createGrid(32, 32);
    applyChange(grid, brush(grid, { points: [a, b], size, label: 1 }));
    grid.cells.forEach((label, index) => {
      const [x, y] = [(index % 32) + 0.5, Math.floor(index / 32) + 0.5];
      let least = Infinity; // Of the distance to the edge of the disc on its way from a to b.
      for (let t = 0; t <= 1; t += 1 / 256) {
        const far = Math.hypot(x - a.x - t * (b.x - a.x), y - a.y - t * (b.y - a.y));
        least = Math.min(least, far - radius(a) - t * (radius(b) - radius(a)));
      }
      const end = [a, b].some((p) => Math.floor(p.x) === x - 0.5 && Math.floor(p.y) === y - 0.5);
      if (Math.abs(least) > 0.01 && !end) assert.equal(label === 1, least < 0, `round ${round}`);
    });
  }
});

test("a pen paints between 30 % and all of the brush's size", () => {
  const across = (pressure) => {
    const grid = createGrid(64, 64);
    applyChange(grid, brush(grid, { points: [{ x: 32, y: 32, pressure }], size: 40, label: 1 }));
    return grid.cells.subarray(32 * 64, 33 * 64).filter((label) => label === 1).length;
  };
  assert.deepEqual([0, 0.5, 1, undefined].map(across), [12, 26, 40, 40]);
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
  assert.equal(cellsOf(change).length, 16 * 4);
  assert.deepEqual(change.rect, { x: 0, y: 6, width: 16, height: 4 });
  const outside = brush(grid, { points: [{ x: -40, y: -40 }], size: 4, label: 1 });
  assert.deepEqual(outside, { rect: null, runs: [], label: 1 });
});

test("tools do not touch the grid and list only cells that change", () => {
  const grid = createGrid(16, 16);
  applyChange(grid, brush(grid, { points: [{ x: 8, y: 8 }], size: 6, label: 4 }));
  const before = grid.cells.slice();
  assert.equal(brush(grid, { points: [{ x: 8, y: 8 }], size: 6, label: 4 }).rect, null);
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
      const neighbors = [index - 23, index + 23];
      if (index % 23 > 0) neighbors.push(index - 1);
      if (index % 23 < 22) neighbors.push(index + 1);
      for (const next of neighbors) {
        if (grid.cells[next] === grid.cells[index]) expected.add(next);
      }
    }
    const change = fill(grid, { point: { x: x + 0.3, y: y + 0.9 }, label: 7 });
    assert.deepEqual(new Set(cellsOf(change)), expected);
    assert.equal(cellsOf(change).length, expected.size);
  }
});

test("twice the size is four cells for one, but for corners that slant", () => {
  const rows = (text) => text.trim().split(/\s+/).map((row) => [...row].map(Number));
  const grid = createGrid(4, 3, 0);
  grid.cells.set(rows("0001 0011 0111").flat());
  const doubled = doubleGrid(grid);
  assert.deepEqual([doubled.width, doubled.height], [8, 6]);
  assert.deepEqual(
    [...doubled.cells],
    rows("00000011 00000111 00000111 00011111 00011111 00111111").flat(),
  );
});

test("a doubled grid has no label that was not beside the place", () => {
  const random = randomFrom(7);
  const grid = createGrid(9, 7);
  grid.cells.forEach((_, index) => { grid.cells[index] = Math.floor(random() * 4); });
  const { cells, width } = doubleGrid(grid);
  cells.forEach((label, index) => {
    const x = Math.floor((index % width) / 2);
    const y = Math.floor(index / width / 2);
    const near = [[x, y], [x - 1, y], [x + 1, y], [x, y - 1], [x, y + 1]]
      .filter(([i, j]) => i >= 0 && j >= 0 && i < grid.width && j < grid.height)
      .map(([i, j]) => grid.cells[j * grid.width + i]);
    assert.ok(near.includes(label));
  });
});

test("gaps take a label from as near as any painted cell is", () => {
  const random = randomFrom(8);
  for (const [width, height, share] of [[9, 7, 0.5], [30, 20, 0.9], [20, 30, 0.02], [40, 1, 0.1], [1, 40, 0.1]]) {
    const grid = createGrid(width, height);
    const painted = [];
    grid.cells.forEach((_, index) => {
      if (random() >= share && index > 0) return;
      grid.cells[index] = Math.floor(random() * 5);
      painted.push(index);
    });
    assert.equal(paintedShare(grid), painted.length / (width * height));
    const before = grid.cells.slice();
    const { cells } = withoutGaps(grid);
    assert.deepEqual(grid.cells, before);
    const far = (a, b) =>
      ((a % width) - (b % width)) ** 2 + (Math.floor(a / width) - Math.floor(b / width)) ** 2;
    cells.forEach((label, index) => {
      const nearest = Math.min(...painted.map((other) => far(index, other)));
      const there = painted.filter((other) => far(index, other) === nearest);
      assert.ok(there.some((other) => before[other] === label), `cell ${index}`);
    });
  }
});

test("a full grid and a blank one have no gaps to fill", () => {
  for (const label of [3, DONT_CARE]) {
    const grid = createGrid(5, 4, label);
    assert.equal(withoutGaps(grid), grid);
  }
});

test("history keeps the last hundred gestures, and a new gesture ends redo", () => {
  const grid = createGrid(8, 8);
  const history = new History(grid);
  const dab = (label) => {
    const change = brush(grid, { points: [{ x: 4, y: 4 }], size: 3, label });
    applyChange(grid, change);
    history.touch(change.rect);
    return history.commit();
  };
  for (let i = 0; i < 150; i += 1) assert.ok(dab(i % 2));
  let undone = 0;
  while (history.undo()) undone += 1;
  assert.equal(undone, 100);
  assert.ok(history.canRedo);
  assert.ok(dab(9));
  assert.ok(!history.canRedo);
  assert.ok(!dab(9), "a gesture that changes nothing is no step");
});

test("a gesture given up leaves the grid as it was, and no step", () => {
  const grid = createGrid(16, 16);
  const history = new History(grid);
  for (const x of [2, 9, 14]) {
    const change = brush(grid, { points: [{ x, y: x }], size: 5, label: 1 });
    applyChange(grid, change);
    history.touch(change.rect);
  }
  assert.deepEqual(history.cancel(), { x: 0, y: 0, width: 16, height: 16 });
  assert.ok(isEmpty(grid));
  assert.ok(!history.commit() && !history.canUndo);
});

test("a hundred strokes over a grid of 1024 x 1024 take little memory; noise is bounded too", () => {
  const random = randomFrom(3);
  const grid = createGrid(1024, 1024);
  const history = new History(grid);
  const gesture = (change) => {
    applyChange(grid, change);
    history.touch(change.rect);
    history.commit();
  };
  const point = () => ({ x: random() * 1024, y: random() * 1024 });
  for (let i = 0; i < 100; i += 1) {
    gesture(brush(grid, { points: [point(), point(), point()], size: 40, label: i % 13 }));
  }
  assert.equal(history.undoEntries.length, 100);
  assert.ok(history.bytes < 8e6, `${history.bytes} bytes`);
  const small = new History(grid, { maxBytes: 5 * 2 ** 20 });
  for (let i = 0; i < 10; i += 1) {
    grid.cells.forEach((_, index) => (grid.cells[index] = (index * 7 + i + (index >> 3)) % 13));
    small.touch(wholeRect(grid));
    small.commit();
  }
  assert.ok(small.bytes <= 5 * 2 ** 20 && small.undoEntries.length === 5);
});

test("what is packed comes back, and is never larger", () => {
  const random = randomFrom(4);
  for (let round = 0; round < 200; round += 1) {
    let id = 0;
    const length = Math.floor(random() * 300);
    const values = Uint8Array.from({ length }, () => (random() < 0.2 ? (id = random() * 256) : id));
    const packed = pack(values);
    assert.deepEqual(unpack(packed), values);
    assert.ok(packed.bytes <= values.length);
  }
  assert.ok(pack(new Uint8Array(1000)).bytes < 10);
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
  assert.deepEqual(clipRect(grid, { x: 2, y: -1, width: 9, height: 2 }), {
    x: 2,
    y: 0,
    width: 2,
    height: 1,
  });
  assert.equal(clipRect(grid, { x: 4, y: 0, width: 2, height: 2 }), null);
  assert.deepEqual(unionRects(a, { x: 0, y: 3, width: 1, height: 1 }), {
    x: 0,
    y: 1,
    width: 3,
    height: 3,
  });
});
