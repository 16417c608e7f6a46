// Shapes between two points of a drag: line, rectangle and ellipse.

import { Area, paint } from "./area.js";
import { brush } from "./brush.js";

/** A straight line as thick as the brush. */
export function line(grid, { from, to, size, label }) {
  return brush(grid, { points: [from, to], size, label });
}

/** All cells from the cell of one corner to the cell of the other. */
export function rectangle(grid, { from, to, label }) {
  const { left, right, top, bottom } = cornerCells(from, to);
  const area = new Area(grid);
  const last = Math.min(bottom, grid.height - 1);
  for (let y = Math.max(0, top); y <= last; y += 1) area.add(y, left, right);
  return paint(grid, area, label);
}

/** The ellipse that touches the sides of that rectangle. */
export function ellipse(grid, { from, to, label }) {
  const { left, right, top, bottom } = cornerCells(from, to);
  const across = (right - left + 1) / 2;
  const down = (bottom - top + 1) / 2;
  const area = new Area(grid);
  const last = Math.min(bottom, grid.height - 1);
  for (let y = Math.max(0, top); y <= last; y += 1) {
    const up = (y + 0.5 - top - down) / down;
    const half = across * Math.sqrt(1 - up * up);
    area.addCentres(y, left + across - half, left + across + half);
  }
  return paint(grid, area, label);
}

/** Shift for rectangle and ellipse: the end of a drag so that its sides are equal. */
export function toSquare(from, to) {
  const dx = Math.floor(to.x) - Math.floor(from.x);
  const dy = Math.floor(to.y) - Math.floor(from.y);
  const side = Math.max(Math.abs(dx), Math.abs(dy));
  const along = (start, difference) => Math.floor(start) + 0.5 + (difference < 0 ? -side : side);
  return { x: along(from.x, dx), y: along(from.y, dy) };
}

/** Shift for lines: the end of a drag turned to the nearest 45 degrees, as long as it was. */
export function toEighth(from, to) {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const angle = (Math.round(Math.atan2(to.y - from.y, to.x - from.x) / (Math.PI / 4)) * Math.PI) / 4;
  return { x: from.x + length * Math.cos(angle), y: from.y + length * Math.sin(angle) };
}

/** The cells of two corners in order: `{ left, right, top, bottom }`, all included. */
export function cornerCells(from, to) {
  const [left, right] = [from.x, to.x].map(Math.floor).sort((a, b) => a - b);
  const [top, bottom] = [from.y, to.y].map(Math.floor).sort((a, b) => a - b);
  return { left, right, top, bottom };
}
