// Filling: one connected area, or everything.

import { DONT_CARE } from "../grid.js";
import { Area, paint } from "./area.js";

/** Give the connected area (4 neighbors) around the point another label. */
export function fill(grid, { point, label }) {
  const area = new Area(grid);
  const old = labelAt(grid, point);
  if (old !== null && old !== label) {
    addConnected(area, grid, { x: Math.floor(point.x), y: Math.floor(point.y), old });
  }
  return paint(grid, area, label);
}

/** Back to blank paper. */
export function clear(grid) {
  const area = new Area(grid);
  for (let y = 0; y < grid.height; y += 1) area.add(y, 0, grid.width - 1);
  return paint(grid, area, DONT_CARE);
}

/** The label under a point, or null outside the grid. */
export function labelAt(grid, point) {
  const x = Math.floor(point.x);
  const y = Math.floor(point.y);
  const inside = x >= 0 && y >= 0 && x < grid.width && y < grid.height;
  return inside ? grid.cells[y * grid.width + x] : null;
}

/** Row by row: take the whole run under a seed, then seed each run that touches it. */
function addConnected(area, grid, { x, y, old }) {
  const { width, height, cells } = grid;
  const taken = new Uint8Array(cells.length);
  const open = (index) => cells[index] === old && !taken[index];
  const seeds = [y * width + x];
  while (seeds.length) {
    const seed = seeds.pop();
    if (!open(seed)) continue;
    const row = Math.floor(seed / width);
    const start = row * width;
    let left = seed;
    let right = seed;
    while (left > start && open(left - 1)) left -= 1;
    while (right < start + width - 1 && open(right + 1)) right += 1;
    taken.fill(1, left, right + 1);
    area.add(row, left - start, right - start);
    for (const step of [-width, width]) {
      if (row + Math.sign(step) < 0 || row + Math.sign(step) >= height) continue;
      for (let index = left + step; index <= right + step; index += 1) {
        if (open(index) && (index === left + step || !open(index - 1))) seeds.push(index);
      }
    }
  }
}
