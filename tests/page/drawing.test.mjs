// Promises of drawing as a whole - gestures, undo, zoom - without a browser; run with `node --test`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gridFrom, load, randomFrom, rowsOf } from "./helpers.mjs";

const { DONT_CARE, applyChange, copyGrid, createGrid, isEmpty } = await load("grid.js");
const { Drawing } = await load("drawing.js");
const { createStore } = await load("store.js");
const { SIZES, TOOLS } = await load("tools.js");
const { MAX_SCALE, WHOLE, Zoom, onBoard, panBy, pinch, reveal, zoomAt } = await load("zoom.js");

const at = (x, y) => ({ x: x + 0.5, y: y + 0.5 });

/** A drawing, and a screen that keeps what it was told. */
function desk(grid, choices = {}) {
  const store = createStore({ tool: "brush", label: 1, sizeIndex: 0, zoom: WHOLE, ...choices });
  const shown = { change: null, outline: null, changes: 0, steps: 0, look: 0 };
  const wayBack = () => {
    const { look } = shown;
    return () => {
      const forth = wayBack();
      shown.look = look;
      return forth;
    };
  };
  const drawing = new Drawing({
    store,
    wayBack,
    onChange: () => (shown.changes += 1),
    onStep: () => (shown.steps += 1),
  });
  drawing.screen = {
    open() {},
    refresh() {},
    preview: (change) => (shown.change = change),
    outline: (outline) => (shown.outline = outline),
  };
  drawing.open(grid);
  const click = (point, how) => {
    drawing.press(point, how);
    drawing.release();
  };
  const drag = (from, to, how) => {
    drawing.press(from, how);
    drawing.drag([to], how);
    drawing.release();
  };
  return { drawing, store, shown, click, drag, rows: () => rowsOf(grid) };
}

const said = ({ store }) => store.get().said?.key;
const EMPTY = ["......", "......", "......", "......"];

test("another doodle takes its look along, through undo and redo", () => {
  const { drawing, shown, click, rows } = desk(gridFrom(EMPTY));
  const picture = (label) => Uint8Array.from({ length: 24 }, () => label);
  for (const look of [1, 2]) {
    drawing.replace(picture(look));
    shown.look = look;
  }
  click(at(0, 0));
  shown.look = 3; // Thrown with the dice: no step, and so not undone.
  const seen = [];
  for (const step of ["undo", "undo", "undo", "redo", "redo", "redo", "undo", "undo"]) {
    drawing[step]();
    seen.push([shown.look, rows()[1]]);
  }
  const [blank, one, two] = [".", "1", "2"].map((sign) => sign.repeat(6));
  assert.deepEqual(seen, [
    [3, two], [1, one], [0, blank], [1, one], [3, two], [3, two], [3, two], [1, one],
  ]);
  assert.equal(shown.steps, 3 + seen.length);
});

test("the rest is filled in one step", () => {
  const grid = gridFrom(["1.....", "......", ".....2", "......"]);
  const { drawing, rows } = desk(grid);
  drawing.fillRest();
  assert.deepEqual(rows(), ["111222", "111222", "111222", "112222"]);
  drawing.undo();
  assert.deepEqual(rows(), ["1.....", "......", ".....2", "......"]);
});

test("any tools in any order: only palette ids and paper, undo to the first grid, redo to the last", () => {
  let operations = 0;
  for (let seed = 1; seed <= 12; seed += 1) operations += randomSession(seed);
  assert.ok(operations >= 5000, `${operations} operations`);
});

/** Hundreds of random operations on one drawing; returns how many. */
function randomSession(seed) {
  const random = randomFrom(seed);
  const number = (below) => Math.floor(random() * below);
  const ids = [0, 1, 2, 3, 5, 12];
  const grid = createGrid(24 + number(30), 20 + number(30));
  grid.cells.forEach((_, index) => (grid.cells[index] = ids[(index >> 5) % ids.length]));
  const names = ["sky", "building", "cloud", "mountain", "tree", "flower"];
  const labels = ids.map((id, i) => ({ id, name_en: names[i] }));
  const { drawing, store } = desk(grid, { labels });
  const point = () => ({ x: random() * (grid.width + 10) - 5, y: random() * (grid.height + 10) - 5 });
  const how = () => ({ even: random() < 0.3, reach: random() * 4 });
  const acts = [
    () => drawing.selectTool(TOOLS[number(TOOLS.length)].name),
    () => drawing.selectLabel(ids[number(ids.length)]),
    () => drawing.selectStamp(["tree", "house", "cloud", "mountain"][number(4)]),
    () => store.set({ sizeIndex: number(SIZES.length - 4) }),
    ...Array(5).fill(() => drawing.press({ ...point(), pressure: random() }, how())),
    ...Array(6).fill(() => drawing.drag([point(), point()], how())),
    ...Array(5).fill(() => drawing.release()),
    () => drawing.hover(point(), how()),
    () => drawing.takeBackPress(),
    () => drawing.confirm(),
    () => drawing.cancel(),
    () => drawing.back(),
    () => drawing.nudge(number(9) - 4, number(9) - 4, { resize: random() < 0.5 }),
    () => drawing.undo(),
    () => drawing.redo(),
    () => random() < 0.1 && drawing.clear(),
    () => drawing.settle(),
  ];
  const states = [grid.cells.slice()]; // One for each step of undo, as far as none was forgotten.
  const operations = 500;
  for (let i = 0; i < operations; i += 1) {
    acts[number(acts.length)]();
    assert.ok(grid.cells.every((id) => ids.includes(id) || id === DONT_CARE), `seed ${seed}, ${i}`);
    if (drawing.gesture) continue;
    const depth = drawing.history.undoEntries.length;
    states.length = Math.min(states.length, depth + 1);
    states[depth] ??= grid.cells.slice();
    if (depth < 100) assert.deepEqual(grid.cells, states[depth], `seed ${seed}, ${i}`);
    if (depth >= 95) break; // Before the oldest step is forgotten.
  }
  drawing.settle();
  while (drawing.history.canRedo) drawing.redo();
  const last = grid.cells.slice();
  while (drawing.history.canUndo) drawing.undo();
  assert.deepEqual(grid.cells, states[0], `seed ${seed}, first`);
  while (drawing.history.canRedo) drawing.redo();
  assert.deepEqual(grid.cells, last, `seed ${seed}, last`);
  return operations;
}

test("a shape is shown while it is dragged, painted when let go, and one step of undo", () => {
  const { drawing, shown, rows } = desk(createGrid(6, 4), { tool: "rectangle" });
  drawing.press(at(1, 1));
  drawing.drag([at(2, 3), at(3, 2)]);
  assert.deepEqual(rows(), EMPTY, "only shown");
  const copy = createGrid(6, 4);
  applyChange(copy, shown.change);
  assert.deepEqual(rowsOf(copy), ["......", ".111..", ".111..", "......"]);
  drawing.release();
  assert.deepEqual(rows(), rowsOf(copy));
  assert.equal(shown.change, null);
  drawing.undo();
  assert.deepEqual(rows(), EMPTY);
  assert.ok(!drawing.history.canUndo);
});

test("escape gives up strokes and shapes, and they are no step of undo", () => {
  for (const tool of ["brush", "eraser", "line", "rectangle", "ellipse", "fill", "move", "polygon"]) {
    const grid = gridFrom(["000011", "000011", "222222"]);
    const { drawing, shown } = desk(copyGrid(grid), { tool, label: 3 });
    drawing.press(at(0, 0));
    drawing.drag([at(4, 2)]);
    assert.ok(drawing.cancel(), tool);
    assert.deepEqual(drawing.grid, grid, tool);
    assert.ok(!drawing.history.canUndo && shown.change === null && shown.outline === null, tool);
    drawing.drag([at(1, 2)]); // The pointer is still down.
    drawing.release();
    assert.deepEqual(drawing.grid, grid, tool);
    assert.ok(!drawing.cancel());
  }
});

test("a polygon closes at its first corner, at its last one again, and by enter", () => {
  const corners = [at(1, 0), at(4, 0), at(4, 3), at(1, 3)];
  const ends = {
    first: ({ click }) => click(at(1, 0), { reach: 0.9 }),
    last: ({ click }) => click(at(1, 3), { reach: 0.9 }),
    enter: ({ drawing }) => drawing.confirm(),
    "another tool": ({ drawing }) => drawing.selectTool("brush"),
  };
  for (const [name, end] of Object.entries(ends)) {
    const desk_ = desk(createGrid(6, 4), { tool: "polygon" });
    for (const corner of corners) desk_.click(corner, { reach: 0.9 });
    assert.deepEqual(desk_.rows(), EMPTY, "only shown until it is closed");
    end(desk_);
    assert.deepEqual(desk_.rows(), Array(4).fill(".1111."), name);
    assert.equal(desk_.drawing.gesture, null, name);
    desk_.drawing.undo();
    assert.deepEqual(desk_.rows(), EMPTY, name);
  }
});

test("backspace and undo take the last corner of a polygon back, then the polygon", () => {
  const desk_ = desk(createGrid(6, 4), { tool: "polygon" });
  const { drawing, click, shown } = desk_;
  for (const corner of [at(1, 0), at(4, 0), at(5, 3)]) click(corner);
  assert.equal(said(desk_), "said_corner");
  assert.ok(drawing.back());
  assert.equal(shown.outline.corners.length, 2);
  drawing.confirm();
  assert.equal(said(desk_), "said_too_few_corners");
  drawing.undo();
  assert.equal(shown.outline.corners.length, 1);
  drawing.undo();
  assert.equal(drawing.gesture, null);
  assert.ok(!drawing.back() && isEmpty(drawing.grid));
});

test("a region is marked, dragged and set down in one step; escape puts it back", () => {
  const grid = gridFrom(["000000", "033000", "033000", "111111"]);
  const desk_ = desk(grid, { tool: "move" });
  const { drawing, drag, click, shown, rows } = desk_;
  const before = rows();
  drag(at(1, 1), at(2, 2));
  assert.deepEqual(shown.outline.rect, { x: 1, y: 1, width: 2, height: 2 });
  drag(at(1.5, 1.5), at(3.5, 1.5), { reach: 0.3 });
  assert.deepEqual(rows(), before, "only shown");
  drawing.cancel();
  assert.equal(shown.outline, null);
  drag(at(1, 1), at(2, 2));
  drag(at(1.5, 1.5), at(3.5, 1.5), { reach: 0.3 });
  click(at(0, 0), { reach: 0.3 }); // Elsewhere.
  assert.deepEqual(rows(), ["000000", "000330", "000330", "111111"]);
  assert.equal(said(desk_), "said_set_down");
  drawing.undo();
  assert.deepEqual(rows(), before);
  assert.ok(!drawing.history.canUndo);
});

test("a corner scales a region; the arrow keys move and scale it; enter sets it down", () => {
  const grid = gridFrom(["30....", "......", "......", "......"]);
  const { drawing, drag, rows } = desk(grid, { tool: "move" });
  drag(at(0, 0), at(1, 1));
  drag({ x: 2, y: 2 }, { x: 4, y: 4 }, { reach: 0.5 });
  assert.ok(drawing.nudge(1, 0, { resize: false }));
  assert.ok(drawing.nudge(1, -2, { resize: true }));
  assert.ok(drawing.confirm());
  assert.deepEqual(rows(), [".33000", "......", "......", "......"]);
  assert.ok(!drawing.confirm() && !drawing.nudge(1, 0, { resize: false }));
});

test("a click with move marks nothing, and generating or another tool sets a region down", () => {
  const grid = gridFrom(["3.....", "......"]);
  const { drawing, drag, click, rows } = desk(grid, { tool: "move" });
  click(at(3, 1));
  assert.equal(drawing.gesture, null);
  drag(at(0, 0), at(1, 1));
  drag(at(0.5, 0.5), at(2.5, 0.5), { reach: 0.2 });
  drawing.settle();
  assert.deepEqual(rows(), ["..3...", "......"]);
});

test("a second finger takes back the press, not what was put before", () => {
  const polygon = desk(createGrid(6, 4), { tool: "polygon" });
  polygon.click(at(1, 1));
  polygon.drawing.press(at(5, 3));
  polygon.drawing.takeBackPress();
  assert.equal(polygon.shown.outline.corners.length, 1);
  const stroke = desk(createGrid(6, 4), { tool: "fill" });
  stroke.drawing.press(at(5, 3));
  assert.ok(!isEmpty(stroke.drawing.grid));
  stroke.drawing.takeBackPress();
  assert.ok(isEmpty(stroke.drawing.grid) && !stroke.drawing.history.canUndo);
  stroke.drawing.release();
  assert.ok(isEmpty(stroke.drawing.grid));
});

test("the eyedropper takes a label and goes back to the tool that painted before", () => {
  const { drawing, store, click } = desk(gridFrom(["23.", "23."]));
  drawing.selectTool("ellipse");
  drawing.selectTool("eyedropper");
  click(at(2, 0));
  assert.deepEqual([store.get().label, store.get().tool], [1, "eyedropper"], "paper is no label");
  click(at(1, 1));
  assert.deepEqual([store.get().label, store.get().tool], [3, "ellipse"]);
  drawing.selectTool("eraser");
  drawing.pick(at(0, 0));
  assert.deepEqual([store.get().label, store.get().tool], [2, "ellipse"]);
});

test("whole changes are one step, and none under way spoils them", () => {
  const { drawing, rows, drag } = desk(gridFrom(["00", "11"]), { tool: "move" });
  drag(at(0, 0), at(1, 1));
  drawing.replace(Uint8Array.of(4, 4, 5, 5));
  assert.deepEqual(rows(), ["44", "55"]);
  drawing.clear();
  assert.deepEqual(rows(), ["..", ".."]);
  drawing.undo();
  drawing.undo();
  assert.deepEqual(rows(), ["00", "11"]);
});

test("zoom keeps what is under the pointer, and the doodle never leaves the board", () => {
  const random = randomFrom(9);
  let zoom = WHOLE;
  for (let i = 0; i < 2000; i += 1) {
    const place = { x: random(), y: random() };
    const before = { x: (place.x - zoom.x) / zoom.scale, y: (place.y - zoom.y) / zoom.scale };
    const grown = zoomAt(zoom, 1 + random(), place);
    const after = onBoard(grown, before);
    assert.ok(Math.abs(after.x - place.x) + Math.abs(after.y - place.y) < 1e-9);
    const to = { x: random() * 3 - 1, y: random() * 3 - 1 };
    zoom = random() < 0.5 ? pinch(grown, { from: place, to, factor: random() * 1.6 }) : grown;
    if (random() < 0.3) zoom = panBy(zoom, random() * 4 - 2, random() * 4 - 2);
    assert.ok(zoom.scale >= 1 && zoom.scale <= MAX_SCALE);
    const [first, last] = [onBoard(zoom, { x: 0, y: 0 }), onBoard(zoom, { x: 1, y: 1 })];
    assert.ok(Math.max(first.x, first.y) <= 1e-9 && Math.min(last.x, last.y) >= 1 - 1e-9);
    const seen = { x: 0.2 + random() * 0.6, y: 0.2 + random() * 0.6 };
    const shown = onBoard(reveal(zoom, seen), seen);
    assert.ok(Math.min(shown.x, shown.y) > -1e-9 && Math.max(shown.x, shown.y) < 1 + 1e-9);
  }
});

test("zoom steps are kept in the store and said", () => {
  const store = createStore({ zoom: WHOLE, said: null });
  const zoom = new Zoom(store);
  zoom.step(1.5);
  assert.deepEqual(store.get().said, { key: "said_zoom", values: { percent: 150 } });
  assert.ok(!zoom.set(zoom.now), "nothing new");
  zoom.step();
  assert.deepEqual(store.get().zoom, WHOLE);
});
