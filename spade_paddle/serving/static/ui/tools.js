// The tools: pure functions `(grid, stroke) -> change`. A change lists the cells that would become
// another label (`cells`: indices), the new `label`, and `rect` around them (null: nothing changes).
// The eraser is the brush with the label DONT_CARE.

import { DONT_CARE } from "./grid.js";

/**
 * A round brush of `size` cells across, drawn along `points` (grid coordinates; cell (0, 0) spans
 * 0..1). Each segment is painted as a capsule - every cell whose centre is within the radius -
 * so a fast hand leaves no gaps between two pointer events.
 */
export function brush(grid, { points, size, label }) {
  const collect = new Collector(grid, label);
  const radius = Math.max(size, 1) / 2;
  for (let i = 0; i < points.length; i += 1) {
    const from = points[Math.max(i - 1, 0)];
    if (i === 0 && points.length > 1) continue;
    paintCapsule(collect, grid, from, points[i], radius);
  }
  return collect.change();
}

/** Give the connected area (4 neighbours) around the point another label. */
export function fill(grid, { point, label }) {
  const collect = new Collector(grid, label);
  const x = Math.floor(point.x);
  const y = Math.floor(point.y);
  if (!inside(grid, x, y)) return collect.change();
  const old = grid.cells[y * grid.width + x];
  if (old !== label) fillScanlines(collect, grid, { x, y, old });
  return collect.change();
}

/** Back to blank paper. */
export function clear(grid) {
  const collect = new Collector(grid, DONT_CARE);
  for (let y = 0; y < grid.height; y += 1) {
    for (let x = 0; x < grid.width; x += 1) collect.add(x, y);
  }
  return collect.change();
}

/** The label under a point, or null outside the grid. */
export function labelAt(grid, point) {
  const x = Math.floor(point.x);
  const y = Math.floor(point.y);
  return inside(grid, x, y) ? grid.cells[y * grid.width + x] : null;
}

function inside(grid, x, y) {
  return x >= 0 && y >= 0 && x < grid.width && y < grid.height;
}

/** Gathers cells that really change, each once, and the rectangle around them. */
class Collector {
  constructor(grid, label) {
    this.grid = grid;
    this.label = label;
    this.cells = [];
    this.seen = new Uint8Array(grid.cells.length);
    this.left = this.top = Infinity;
    this.right = this.bottom = -Infinity;
  }

  add(x, y) {
    const index = y * this.grid.width + x;
    if (this.seen[index]) return;
    this.seen[index] = 1;
    if (this.grid.cells[index] === this.label) return;
    this.cells.push(index);
    if (x < this.left) this.left = x;
    if (x > this.right) this.right = x;
    if (y < this.top) this.top = y;
    if (y > this.bottom) this.bottom = y;
  }

  change() {
    const { cells, label, left, top, right, bottom } = this;
    const rect = cells.length
      ? { x: left, y: top, width: right - left + 1, height: bottom - top + 1 }
      : null;
    return { cells, label, rect };
  }
}

function paintCapsule(collect, grid, from, to, radius) {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const lengthSquared = dx * dx + dy * dy;
  const x0 = Math.max(0, Math.floor(Math.min(from.x, to.x) - radius));
  const x1 = Math.min(grid.width - 1, Math.floor(Math.max(from.x, to.x) + radius));
  const y0 = Math.max(0, Math.floor(Math.min(from.y, to.y) - radius));
  const y1 = Math.min(grid.height - 1, Math.floor(Math.max(from.y, to.y) + radius));
  for (let y = y0; y <= y1; y += 1) {
    for (let x = x0; x <= x1; x += 1) {
      const px = x + 0.5 - from.x;
      const py = y + 0.5 - from.y;
      const along = lengthSquared ? (px * dx + py * dy) / lengthSquared : 0;
      const nearest = Math.min(1, Math.max(0, along));
      const ex = px - nearest * dx;
      const ey = py - nearest * dy;
      if (ex * ex + ey * ey <= radius * radius) collect.add(x, y);
    }
  }
  // A one-cell brush may miss every centre near its ends; the cell under the pointer is certain.
  for (const end of [from, to]) {
    const x = Math.floor(end.x);
    const y = Math.floor(end.y);
    if (inside(grid, x, y)) collect.add(x, y);
  }
}

function fillScanlines(collect, grid, { x, y, old }) {
  const { width, height, cells } = grid;
  const open = (cx, cy) => {
    const index = cy * width + cx;
    return cells[index] === old && !collect.seen[index];
  };
  const stack = [[x, y]];
  while (stack.length) {
    const [startX, row] = stack.pop();
    if (!open(startX, row)) continue;
    let left = startX;
    let right = startX;
    while (left > 0 && open(left - 1, row)) left -= 1;
    while (right < width - 1 && open(right + 1, row)) right += 1;
    for (let cx = left; cx <= right; cx += 1) collect.add(cx, row);
    for (const next of [row - 1, row + 1]) {
      if (next < 0 || next >= height) continue;
      for (let cx = left; cx <= right; cx += 1) {
        const runStarts = open(cx, next) && (cx === left || !open(cx - 1, next));
        if (runStarts) stack.push([cx, next]);
      }
    }
  }
}
