// Moving and scaling what a rectangle holds.

import { DONT_CARE, clipRect, readRect, unionRects } from "../grid.js";

/**
 * Take the content of the rectangle `from` (on the grid) to the rectangle `to`, which may have
 * another size and lie partly outside. Scaling repeats or leaves out whole cells, so it makes no
 * new label. What it leaves is filled with the label that stands nearest: a house moved over a
 * meadow leaves meadow, where paper would be a hole that the model has to guess about.
 */
export function moveRegion(grid, { from, to }) {
  if (["x", "y", "width", "height"].every((key) => from[key] === to[key])) return { rect: null };
  const visible = clipRect(grid, to);
  const rect = unionRects(from, visible);
  const values = readRect(grid, rect);
  fillHole(grid, from, { rect, values });
  if (visible) stamp(grid, { from, to, visible }, { rect, values });
  return { rect, values };
}

/**
 * Every cell of the hole becomes the nearest label outside it: straight over its nearest side.
 * Left and right come first where it is a tie, because landscapes lie in layers.
 */
function fillHole(grid, from, { rect, values }) {
  const right = from.x + from.width;
  const bottom = from.y + from.height;
  for (let y = from.y; y < bottom; y += 1) {
    const up = from.y > 0 ? y - from.y : Infinity;
    const down = bottom < grid.height ? bottom - 1 - y : Infinity;
    for (let x = from.x; x < right; x += 1) {
      const before = from.x > 0 ? x - from.x : Infinity;
      const behind = right < grid.width ? right - 1 - x : Infinity;
      const least = Math.min(before, behind, up, down);
      let label;
      if (least === Infinity) label = DONT_CARE; // The rectangle is the whole grid.
      else if (before === least) label = grid.cells[y * grid.width + from.x - 1];
      else if (behind === least) label = grid.cells[y * grid.width + right];
      else if (up === least) label = grid.cells[(from.y - 1) * grid.width + x];
      else label = grid.cells[bottom * grid.width + x];
      values[(y - rect.y) * rect.width + x - rect.x] = label;
    }
  }
}

function stamp(grid, { from, to, visible }, { rect, values }) {
  for (let y = visible.y; y < visible.y + visible.height; y += 1) {
    const row = from.y + Math.floor(((y - to.y + 0.5) * from.height) / to.height);
    for (let x = visible.x; x < visible.x + visible.width; x += 1) {
      const column = from.x + Math.floor(((x - to.x + 0.5) * from.width) / to.width);
      values[(y - rect.y) * rect.width + x - rect.x] = grid.cells[row * grid.width + column];
    }
  }
}
