// A set of cells as pieces of rows. Tools build one from shapes; `paint` turns it into a change.

export class Area {
  constructor({ width, height }) {
    Object.assign(this, { width, height });
    this.rows = []; // Row y: pieces of it one after the other, [first, last, first, last, ...].
    this.top = height;
    this.bottom = -1;
  }

  /** Add the cells `left`..`right` of row `y`; what lies outside the grid is left out. */
  add(y, left, right) {
    if (y < 0 || y >= this.height) return;
    const first = Math.max(0, left);
    const last = Math.min(this.width - 1, right);
    if (first > last) return;
    (this.rows[y] ??= []).push(first, last);
    if (y < this.top) this.top = y;
    if (y > this.bottom) this.bottom = y;
  }

  /** Add the cells of row `y` whose centres lie in `from`..`to`. */
  addCentres(y, from, to) {
    this.add(y, Math.ceil(from - 0.5 - TINY), Math.floor(to - 0.5 + TINY));
  }

  /** Add the one cell that holds the point. */
  addPoint({ x, y }) {
    this.add(Math.floor(y), Math.floor(x), Math.floor(x));
  }
}

// Rounding must not lose a cell whose centre lies exactly on the edge of a shape.
const TINY = 1e-9;

/** The change that gives the cells of an area a label; it lists only cells that become another. */
export function paint(grid, area, label) {
  const { width, cells } = grid;
  const runs = [];
  let [left, right, top, bottom] = [Infinity, -1, 0, -1];
  for (let y = area.top; y <= area.bottom; y += 1) {
    for (const [first, last] of merged(area.rows[y])) {
      for (let x = first; x <= last; x += 1) {
        if (cells[y * width + x] === label) continue;
        const start = x;
        while (x <= last && cells[y * width + x] !== label) x += 1;
        runs.push(y * width + start, y * width + x);
        left = Math.min(left, start);
        right = Math.max(right, x - 1);
        if (bottom < 0) top = y;
        bottom = y;
      }
    }
  }
  const rect = { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
  return { rect: runs.length ? rect : null, runs, label };
}

/** Pieces in order and without overlaps, so that each cell comes once: `[[first, last], ...]`. */
function merged(row) {
  if (!row) return [];
  const pieces = [];
  for (let i = 0; i < row.length; i += 2) pieces.push([row[i], row[i + 1]]);
  if (pieces.length === 1) return pieces;
  pieces.sort((a, b) => a[0] - b[0]);
  const result = [pieces[0]];
  for (const piece of pieces) {
    const before = result[result.length - 1];
    if (piece[0] <= before[1] + 1) before[1] = Math.max(before[1], piece[1]);
    else result.push(piece);
  }
  return result;
}
