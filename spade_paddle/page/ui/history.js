// Undo and redo. One entry is one gesture: the rectangle it changed and what stood there before.

import { readRect, unionRects, writeRect } from "./grid.js";
import { pack, unpack } from "./packed.js";

const DEPTH = 100;
// Doodles pack to a few KB; only noise would reach this, and then the oldest steps are forgotten.
const MAX_BYTES = 64 * 2 ** 20;

export class History {
  /** The history of one grid. From now on every change of it is told by `touch`. */
  constructor(grid, { depth = DEPTH, maxBytes = MAX_BYTES } = {}) {
    this.grid = grid;
    this.depth = depth;
    this.maxBytes = maxBytes;
    this.undoEntries = [];
    this.redoEntries = [];
    this.bytes = 0;
    this.settled = { ...grid, cells: grid.cells.slice() }; // The grid without the open gesture.
    this.touched = null;
  }

  get canUndo() {
    return this.undoEntries.length > 0;
  }

  get canRedo() {
    return this.redoEntries.length > 0;
  }

  /** The gesture under way has changed this rectangle (null: nothing). */
  touch(rect) {
    this.touched = unionRects(this.touched, rect);
  }

  /**
   * The gesture is over. Returns whether it changed anything. `goBack()` is called with its undo, and
   * gives what is to be called when it is done again.
   */
  commit(goBack = null) {
    const rect = this.touched;
    this.touched = null;
    if (!rect) return false;
    const before = readRect(this.settled, rect);
    const after = readRect(this.grid, rect);
    if (before.every((label, index) => label === after[index])) return false;
    writeRect(this.settled, rect, after);
    for (const { packed } of this.redoEntries) this.bytes -= packed.bytes;
    this.redoEntries = [];
    this.push(this.undoEntries, rect, before, goBack);
    while (this.undoEntries.length > this.depth || this.bytes > this.maxBytes) {
      this.bytes -= this.undoEntries.shift().packed.bytes;
    }
    return true;
  }

  /** Give up the gesture under way. Returns the rectangle to redraw, or null. */
  cancel() {
    const rect = this.touched;
    this.touched = null;
    if (rect) writeRect(this.grid, rect, readRect(this.settled, rect));
    return rect;
  }

  /** Take the last gesture back. Returns the rectangle to redraw, or null. */
  undo() {
    return this.swap(this.undoEntries, this.redoEntries);
  }

  /** Do again what `undo` took back. Returns the rectangle to redraw, or null. */
  redo() {
    return this.swap(this.redoEntries, this.undoEntries);
  }

  /**
   * The cells as they were before each step that can be undone, the oldest first, and as they are now; where
   * these are more than `most`, as many of them, evenly spread, with the first and the last.
   */
  states(most) {
    const count = this.undoEntries.length;
    const kept = Math.min(most, count + 1);
    const apart = count / Math.max(1, kept - 1);
    const wanted = Array.from({ length: kept }, (_, place) => Math.round(count - place * apart)).reverse();
    const grid = { ...this.settled, cells: this.settled.cells.slice() };
    const states = [];
    for (let step = count; ; step -= 1) {
      if (step === wanted.at(-1)) {
        states.unshift(grid.cells.slice());
        wanted.pop();
      }
      if (step === 0) return states;
      const { rect, packed } = this.undoEntries[step - 1];
      writeRect(grid, rect, unpack(packed));
    }
  }

  push(entries, rect, values, goBack) {
    const packed = pack(values);
    this.bytes += packed.bytes;
    entries.push({ rect, packed, goBack });
  }

  swap(from, to) {
    const entry = from.pop();
    if (!entry) return null;
    const { rect, packed, goBack } = entry;
    this.bytes -= packed.bytes;
    this.push(to, rect, readRect(this.grid, rect), goBack?.());
    const values = unpack(packed);
    writeRect(this.grid, rect, values);
    writeRect(this.settled, rect, values);
    return rect;
  }
}
