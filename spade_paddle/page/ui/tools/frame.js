// The frame round a region: made between two points, dragged, scaled by a corner, moved by keys.
// Rectangles are `{ x, y, width, height }` in whole cells; corners `{ x, y }` of 0 (left, upper)
// or 1 (right, lower).

import { cornerCells, toSquare } from "./shapes.js";

// So many cells of a moved region stay on the grid, to take hold of it again.
const KEPT = 4;

/** The cells from one point to the other. */
export function rectBetween(from, to, even) {
  const { left, right, top, bottom } = cornerCells(from, even ? toSquare(from, to) : to);
  return { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

/** Whether a point lies in a rectangle. */
export function holds({ x, y, width, height }, point) {
  return point.x >= x && point.y >= y && point.x < x + width && point.y < y + height;
}

/** The corner of a rectangle within `reach` of a point, the nearest one; or null. */
export function reachedCorner({ x, y, width, height }, point, reach) {
  let nearest = null;
  for (const corner of [{ x: 0, y: 0 }, { x: 1, y: 0 }, { x: 0, y: 1 }, { x: 1, y: 1 }]) {
    const far = Math.hypot(x + corner.x * width - point.x, y + corner.y * height - point.y);
    if (far <= reach && (!nearest || far < nearest.far)) nearest = { corner, far };
  }
  return nearest?.corner ?? null;
}

/** A rectangle dragged from a point to another. */
export function draggedRect(rect, start, end, grid) {
  const dx = Math.round(end.x - start.x);
  const dy = Math.round(end.y - start.y);
  return onGrid({ ...rect, x: rect.x + dx, y: rect.y + dy }, grid);
}

/** A rectangle scaled by dragging one of its corners; the opposite one stays. */
export function draggedCorner(rect, { corner, start, end, even }) {
  const outwards = (side, difference) => (side ? difference : -difference);
  let width = Math.max(1, rect.width + Math.round(outwards(corner.x, end.x - start.x)));
  let height = Math.max(1, rect.height + Math.round(outwards(corner.y, end.y - start.y)));
  if (even) {
    const factor = Math.max(width / rect.width, height / rect.height);
    width = Math.max(1, Math.round(rect.width * factor));
    height = Math.max(1, Math.round(rect.height * factor));
  }
  const x = corner.x ? rect.x : rect.x + rect.width - width;
  const y = corner.y ? rect.y : rect.y + rect.height - height;
  return { x, y, width, height };
}

/** A rectangle moved by whole cells, or with `resize` made so much wider and higher. */
export function nudgedRect(rect, { dx, dy, resize, grid }) {
  if (!resize) return onGrid({ ...rect, x: rect.x + dx, y: rect.y + dy }, grid);
  const { width, height } = rect;
  return { ...rect, width: Math.max(1, width + dx), height: Math.max(1, height + dy) };
}

function onGrid(rect, grid) {
  const keep = (start, size, room) => {
    const kept = Math.min(KEPT, size, room);
    return Math.min(room - kept, Math.max(kept - size, start));
  };
  return {
    ...rect,
    x: keep(rect.x, rect.width, grid.width),
    y: keep(rect.y, rect.height, grid.height),
  };
}
