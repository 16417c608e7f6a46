// A set of cells as pieces of rows. Tools build one from shapes; `paint` turns it into a change.

export class Area {
  constructor({ width, height }) {
    this.width = width;
    this.height = height;
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
    const row = (this.rows[y] ??= []);
    const end = row.length - 1;
    if (end > 0 && first <= row[end] + 1 && last >= row[end - 1] - 1) {
      // Strokes go on where they were: one longer piece instead of many.
      row[end - 1] = Math.min(first, row[end - 1]);
      row[end] = Math.max(last, row[end]);
    } else {
      row.push(first, last);
    }
    if (y < this.top) this.top = y;
    if (y > this.bottom) this.bottom = y;
  }

  /** Add the cells of row `y` whose centers lie in `from`..`to`. */
  addCentres(y, from, to) {
    this.add(y, Math.ceil(from - 0.5 - TINY), Math.floor(to - 0.5 + TINY));
  }

  /** Add the one cell that holds the point. */
  addPoint({ x, y }) {
    this.add(Math.floor(y), Math.floor(x), Math.floor(x));
  }
}

// Rounding must not lose a cell whose center lies exactly on the edge of a shape.
const TINY = 1e-9;

/** The change that gives the cells of an area a label; it lists only cells that become another. */
export function paint(grid, area, label) {
  const { width, cells } = grid;
  const runs = [];
  let [left, right, top, bottom] = [Infinity, -1, 0, -1];
  for (let y = area.top; y <= area.bottom; y += 1) {
    const row = merged(area.rows[y]);
    const start = y * width;
    for (let i = 0; i < row.length; i += 2) {
      const end = start + row[i + 1];
      for (let index = start + row[i]; index <= end; index += 1) {
        if (cells[index] === label) continue;
        const first = index;
        while (index <= end && cells[index] !== label) index += 1;
        runs.push(first, index);
        left = Math.min(left, first - start);
        right = Math.max(right, index - 1 - start);
        if (bottom < 0) top = y;
        bottom = y;
      }
    }
  }
  const rect = { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
  return { rect: runs.length ? rect : null, runs, label };
}

/** The pieces of a row in order and without overlaps, so that each cell comes once. */
function merged(row = []) {
  if (row.length <= 2) return row;
  const pieces = [];
  for (let i = 0; i < row.length; i += 2) pieces.push([row[i], row[i + 1]]);
  pieces.sort((a, b) => a[0] - b[0]);
  const result = [];
  for (const [first, last] of pieces) {
    const end = result.length - 1;
    if (end > 0 && first <= result[end] + 1) result[end] = Math.max(last, result[end]);
    else result.push(first, last);
  }
  return result;
}
