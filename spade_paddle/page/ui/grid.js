// The doodle itself: a grid of label ids. The canvas only shows it and is never read back, because
// browsers smooth strokes and some add noise to what they read, and a label id must stay exact.

/** The id that means "nobody said what is here"; shown as paper. */
export const DONT_CARE = 255;

/** A grid of `width * height` label ids, row by row, all `label`. */
export function createGrid(width, height, label = DONT_CARE) {
  return { width, height, cells: new Uint8Array(width * height).fill(label) };
}

export function copyGrid(grid) {
  return { width: grid.width, height: grid.height, cells: grid.cells.slice() };
}

/**
 * The grid at twice its size. Steps of slanting edges are halved by the Scale2x rule (A. Mazzoleni), which
 * only ever takes the label of a neighbor: where two neighbors around a corner agree, the corner is theirs.
 */
export function doubleGrid({ width, height, cells }) {
  const doubled = createGrid(2 * width, 2 * height);
  const at = (x, y) =>
    cells[Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x))];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const [own, up, down] = [at(x, y), at(x, y - 1), at(x, y + 1)];
      const [left, right] = [at(x - 1, y), at(x + 1, y)];
      const slants = up !== down && left !== right;
      const place = 4 * y * width + 2 * x;
      doubled.cells[place] = slants && left === up ? left : own;
      doubled.cells[place + 1] = slants && right === up ? right : own;
      doubled.cells[place + 2 * width] = slants && left === down ? left : own;
      doubled.cells[place + 2 * width + 1] = slants && right === down ? right : own;
    }
  }
  return doubled;
}

/** The grid at another size: each cell takes the label that lies nearest, for ids must not be mixed. */
export function resizeGrid({ width, height, cells }, size) {
  const resized = createGrid(size.width, size.height);
  for (let y = 0; y < size.height; y += 1) {
    const row = Math.floor(((y + 0.5) * height) / size.height) * width;
    for (let x = 0; x < size.width; x += 1) {
      const column = Math.floor(((x + 0.5) * width) / size.width);
      resized.cells[y * size.width + x] = cells[row + column];
    }
  }
  return resized;
}

/** The rectangle of the whole grid. */
export function wholeRect(grid) {
  return { x: 0, y: 0, width: grid.width, height: grid.height };
}

/** The smallest rectangle around two; either may be null (nothing). */
export function unionRects(a, b) {
  if (!a || !b) return a || b;
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}

/** The part of a rectangle that lies on the grid, or null. */
export function clipRect(grid, rect) {
  const x = Math.max(0, rect.x);
  const y = Math.max(0, rect.y);
  const width = Math.min(grid.width, rect.x + rect.width) - x;
  const height = Math.min(grid.height, rect.y + rect.height) - y;
  return width > 0 && height > 0 ? { x, y, width, height } : null;
}

/** Copy the cells of a rectangle out of a grid. */
export function readRect(grid, rect) {
  const values = new Uint8Array(rect.width * rect.height);
  for (let row = 0; row < rect.height; row += 1) {
    const start = (rect.y + row) * grid.width + rect.x;
    values.set(grid.cells.subarray(start, start + rect.width), row * rect.width);
  }
  return values;
}

/** Write values from `readRect` back into a grid. */
export function writeRect(grid, rect, values) {
  for (let row = 0; row < rect.height; row += 1) {
    const line = values.subarray(row * rect.width, (row + 1) * rect.width);
    grid.cells.set(line, (rect.y + row) * grid.width + rect.x);
  }
}

/**
 * Carry out a change that a tool worked out. A change is `{ rect, runs, label }`: runs of cells
 * (index of the first, index behind the last, and so on) that all become one label; or
 * `{ rect, values }`: new content for a rectangle. `rect` is null where nothing changes.
 */
export function applyChange(grid, { rect, runs, label, values }) {
  if (!rect) return;
  if (values) writeRect(grid, rect, values);
  else for (let i = 0; i < runs.length; i += 2) grid.cells.fill(label, runs[i], runs[i + 1]);
}

/** How much of the grid is painted, 0 to 1. */
export function paintedShare({ cells }) {
  return cells.reduce((count, id) => count + (id !== DONT_CARE), 0) / cells.length;
}

/**
 * The grid with the label of the nearest painted cell in every blank one; the same grid where there is no
 * blank one, nothing is painted, or less than the share `from`.
 */
export function withoutGaps(grid, { from = 0 } = {}) {
  const share = paintedShare(grid);
  if (share === 0 || share === 1 || share < from) return grid;
  const { width, height, cells } = grid;
  const near = nearestInColumns(grid);
  const filled = copyGrid(grid);
  for (let y = 0; y < height; y += 1) {
    const row = near.subarray(y * width, (y + 1) * width);
    for (let x = 0; x < width; x += 1) {
      const index = y * width + x;
      if (cells[index] !== DONT_CARE) continue;
      let [best, label] = [Infinity, DONT_CARE];
      // Outwards from the cell, until the columns alone are farther away than what is found.
      for (let step = 0; step < width && step * step < best; step += 1) {
        for (const column of step ? [x - step, x + step] : [x]) {
          const source = row[column] ?? -1;
          if (source < 0) continue;
          const distance = step * step + (source - y) ** 2;
          if (distance < best) [best, label] = [distance, cells[source * width + column]];
        }
      }
      filled.cells[index] = label;
    }
  }
  return filled;
}

/** For each cell the row of the nearest painted one above or below it in its column, or -1. */
function nearestInColumns({ width, height, cells }) {
  const near = new Int16Array(cells.length).fill(-1);
  for (let x = 0; x < width; x += 1) {
    for (const [first, step] of [[0, 1], [height - 1, -1]]) {
      let last = -1;
      for (let y = first; y >= 0 && y < height; y += step) {
        const index = y * width + x;
        if (cells[index] !== DONT_CARE) last = y;
        if (last < 0) continue;
        const known = near[index];
        if (known < 0 || Math.abs(last - y) < Math.abs(known - y)) near[index] = last;
      }
    }
  }
  return near;
}

/** True when nothing is painted. */
export function isEmpty({ cells }) {
  for (let index = 0; index < cells.length; index += 1) if (cells[index] !== DONT_CARE) return false;
  return true;
}
