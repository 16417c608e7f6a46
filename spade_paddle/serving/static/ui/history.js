// Undo and redo. One entry is one gesture: the rectangle it touched and what stood there before.

import { readRect, unionRects, writeRect } from "./grid.js";

const DEPTH = 100;

export class History {
  constructor({ depth = DEPTH } = {}) {
    this.depth = depth;
    this.undoEntries = [];
    this.redoEntries = [];
    this.open = null;
  }

  get canUndo() {
    return this.undoEntries.length > 0;
  }

  get canRedo() {
    return this.redoEntries.length > 0;
  }

  /** A gesture starts: remember the grid as it is. */
  begin(grid) {
    this.open = { before: { ...grid, cells: grid.cells.slice() }, rect: null };
  }

  /** The gesture has changed this rectangle (null: nothing). */
  touch(rect) {
    this.open.rect = unionRects(this.open.rect, rect);
  }

  /** The gesture is over. Returns whether it changed anything. */
  commit() {
    const { before, rect } = this.open;
    this.open = null;
    if (!rect) return false;
    this.undoEntries.push({ rect, values: readRect(before, rect) });
    if (this.undoEntries.length > this.depth) this.undoEntries.shift();
    this.redoEntries = [];
    return true;
  }

  /** Take the last gesture back. Returns the rectangle to redraw, or null. */
  undo(grid) {
    return swap(grid, this.undoEntries, this.redoEntries);
  }

  /** Do again what `undo` took back. Returns the rectangle to redraw, or null. */
  redo(grid) {
    return swap(grid, this.redoEntries, this.undoEntries);
  }
}

function swap(grid, from, to) {
  const entry = from.pop();
  if (!entry) return null;
  to.push({ rect: entry.rect, values: readRect(grid, entry.rect) });
  writeRect(grid, entry.rect, entry.values);
  return entry.rect;
}
