// Any shape with straight sides.

import { Area, paint } from "./area.js";
import { addCapsule } from "./brush.js";

/**
 * The area round which the corners `points` go: every cell whose center is inside, however often
 * the sides cross, and the cells on the sides, so that a thin shape does not vanish.
 */
export function polygon(grid, { points, label }) {
  const area = new Area(grid);
  const middles = points.map(({ x, y }) => ({ x: Math.floor(x) + 0.5, y: Math.floor(y) + 0.5 }));
  addPolygon(area, middles);
  for (const [a, b] of sidesOf(middles)) addCapsule(area, { ...a, radius: 0.5 }, { ...b, radius: 0.5 });
  return paint(grid, area, label);
}

/** Add every cell whose center is inside the corners; they stand anywhere, also between cells. */
export function addPolygon(area, points) {
  const sides = sidesOf(points);
  const rows = points.map(({ y }) => Math.floor(y));
  const last = Math.min(area.height - 1, Math.max(...rows));
  for (let y = Math.max(0, Math.min(...rows)); y <= last; y += 1) addInside(area, sides, y);
}

function sidesOf(points) {
  return points.map((point, i) => [point, points[(i + 1) % points.length]]);
}

/** The cells of a row between a side going in and the side that goes out for good. */
function addInside(area, sides, y) {
  const crossings = [];
  for (const [a, b] of sides) {
    if (a.y <= y + 0.5 === b.y <= y + 0.5) continue;
    const x = a.x + ((y + 0.5 - a.y) / (b.y - a.y)) * (b.x - a.x);
    crossings.push({ x, turn: a.y < b.y ? 1 : -1 });
  }
  crossings.sort((a, b) => a.x - b.x);
  let turns = 0;
  crossings.forEach(({ x, turn }, i) => {
    turns += turn;
    if (turns !== 0) area.addCentres(y, x, crossings[i + 1].x);
  });
}
