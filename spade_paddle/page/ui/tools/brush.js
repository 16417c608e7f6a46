// The round brush. The eraser is the brush with the label DONT_CARE.

import { Area, paint } from "./area.js";

// A pen that hardly touches paints this share of the brush's size.
const LIGHTEST = 0.3;

/**
 * A round brush of `size` cells across, drawn along `points` `{ x, y, pressure }` (grid
 * coordinates; cell (0, 0) spans 0..1; `pressure` 0..1 only from a pen). Each segment is painted as
 * a capsule, the disc at one end growing into the disc at the other - every cell whose center is
 * within - so a fast hand leaves no gaps between two pointer events.
 */
export function brush(grid, { points, size, label }) {
  const area = new Area(grid);
  for (let i = 0; i < points.length; i += 1) {
    if (i === 0 && points.length > 1) continue;
    const from = points[Math.max(i - 1, 0)];
    addCapsule(area, disc(from, size), disc(points[i], size));
  }
  return paint(grid, area, label);
}

/** Add the cells of a capsule between two discs `{ x, y, radius }`. */
export function addCapsule(area, from, to) {
  const top = Math.min(from.y - from.radius, to.y - to.radius);
  const bottom = Math.max(from.y + from.radius, to.y + to.radius);
  const last = Math.min(area.height - 1, Math.floor(bottom));
  const sides = tangents(from, to);
  for (let y = Math.max(0, Math.floor(top)); y <= last; y += 1) {
    const span = { left: Infinity, right: -Infinity };
    widenByDisc(span, from, y + 0.5);
    widenByDisc(span, to, y + 0.5);
    for (const side of sides) widenByLine(span, side, y + 0.5);
    area.addCentres(y, span.left, span.right);
  }
  // A one-cell brush may miss every center near its ends; the cell under the pointer is certain.
  area.addPoint(from);
  area.addPoint(to);
}

function disc({ x, y, pressure = 1 }, size) {
  const share = LIGHTEST + (1 - LIGHTEST) * pressure;
  return { x, y, radius: Math.max(1, size * share) / 2 };
}

/**
 * The two straight sides of a capsule, each a pair of points where it touches the discs. None
 * where one disc lies within the other.
 */
function tangents(from, to) {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const length = Math.hypot(dx, dy);
  const shrink = (from.radius - to.radius) / length;
  if (!(Math.abs(shrink) < 1)) return [];
  const grow = Math.sqrt(1 - shrink * shrink);
  return [1, -1].map((side) => {
    const nx = (dx * shrink - side * dy * grow) / length;
    const ny = (dy * shrink + side * dx * grow) / length;
    return [from, to].map(({ x, y, radius }) => ({ x: x + nx * radius, y: y + ny * radius }));
  });
}

function widenByDisc(span, { x, y, radius }, row) {
  const half = Math.sqrt(radius * radius - (row - y) * (row - y));
  if (Number.isNaN(half)) return;
  span.left = Math.min(span.left, x - half);
  span.right = Math.max(span.right, x + half);
}

function widenByLine(span, side, row) {
  const [a, b] = side;
  if ((row < a.y && row < b.y) || (row > a.y && row > b.y) || a.y === b.y) return;
  const x = a.x + ((row - a.y) / (b.y - a.y)) * (b.x - a.x);
  span.left = Math.min(span.left, x);
  span.right = Math.max(span.right, x);
}
