// Stamps: shapes of several labels at once.

import { clipRect, readRect } from "../grid.js";
import { Area } from "./area.js";
import { addPolygon } from "./polygon.js";

// A tap places a stamp as large as so many brushes.
const BRUSHES = 4;
const LEAST = 6; // Cells; a smaller stamp would lose its shape.

/** The side of the square, in cells, that a stamp fits in which is placed by a tap. */
export function stampSide({ width, height }, size) {
  return Math.min(width, height, Math.max(LEAST, BRUSHES * size));
}

/**
 * Where a stamp goes, in cells (not whole ones), its proportions kept: `{ x, y, width, height, mirrored }`.
 * Without `to` the middle is at `from` and it fits in a square of `side`; with it, it reaches from the
 * one to the other, and is mirrored where that goes to the left.
 */
export function stampBox(ratio, { from, to = null, side }) {
  if (!to) {
    const height = side / Math.max(1, ratio);
    const width = ratio * height;
    return { x: from.x - width / 2, y: from.y - height / 2, width, height, mirrored: false };
  }
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const height = Math.max(Math.abs(dx) / ratio, Math.abs(dy), LEAST / Math.max(1, ratio));
  const width = ratio * height;
  const x = dx < 0 ? from.x - width : from.x;
  const y = dy < 0 ? from.y - height : from.y;
  return { x, y, width, height, mirrored: dx < 0 };
}

/** The change that places a stamp (`ratio` and `parts` of stamps.js) in a box. */
export function stamp(grid, { ratio, parts, box }) {
  const rect = clipRect(grid, cellsAround(box));
  if (!rect) return { rect: null };
  const before = readRect(grid, rect);
  const values = before.slice();
  const place = ([x, y]) => ({
    x: box.x + (box.mirrored ? ratio - x : x) * box.height,
    y: box.y + y * box.height,
  });
  for (const { id, outlines } of parts) {
    const area = new Area(grid);
    for (const outline of outlines) addPolygon(area, outline.map(place));
    for (let y = area.top; y <= area.bottom; y += 1) {
      const row = area.rows[y] ?? [];
      const start = (y - rect.y) * rect.width - rect.x;
      for (let i = 0; i < row.length; i += 2) values.fill(id, start + row[i], start + row[i + 1] + 1);
    }
  }
  const changes = values.some((id, index) => id !== before[index]);
  return { rect: changes ? rect : null, values };
}

function cellsAround({ x, y, width, height }) {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  return { x: left, y: top, width: Math.ceil(x + width) - left, height: Math.ceil(y + height) - top };
}
