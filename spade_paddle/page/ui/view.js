// Shows a grid on a canvas, one canvas pixel for each cell. Only ever draws.

import { rgbOf } from "./color.js";
import { DONT_CARE, unionRects, wholeRect } from "./grid.js";

export const PAPER = [243, 239, 229];
const PAPER_DOT = [228, 222, 208];

/** Colors for ids 0..255 as bytes R, G, B. Ids without a label look like paper. */
export function paletteBytes(labels) {
  const bytes = new Uint8Array(256 * 3);
  for (let id = 0; id < 256; id += 1) bytes.set(PAPER, id * 3);
  for (const { id, color } of labels) bytes.set(rgbOf(color), id * 3);
  return bytes;
}

/** The same as one 32-bit number for each id, in the order in which this computer keeps bytes. */
function palettePixels(labels) {
  const bytes = paletteBytes(labels);
  return Uint32Array.from({ length: 256 }, (_, id) => pixel(bytes.subarray(id * 3, id * 3 + 3)));
}

/** @param {Iterable<number>} rgb */
function pixel(rgb) {
  return new Uint32Array(Uint8Array.of(...rgb, 255).buffer)[0];
}

export class GridView {
  constructor(canvas, grid, labels) {
    canvas.width = grid.width;
    canvas.height = grid.height;
    this.grid = grid;
    this.context = canvas.getContext("2d");
    this.image = this.context.createImageData(grid.width, grid.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.palette = palettePixels(labels);
    this.dot = pixel(PAPER_DOT);
    this.change = null; // What is shown above the grid.
    this.stale = null; // The rectangle to bring up to date with the next frame.
    this.frame = null;
  }

  /** Bring a rectangle up to date with the next frame, however often this is called until then. */
  refresh(rect) {
    this.stale = unionRects(this.stale, rect);
    if (this.stale) this.frame ??= requestAnimationFrame(() => this.draw(this.stale));
  }

  /** Show another grid of the same size. */
  open(grid) {
    this.grid = grid;
    this.change = null;
    this.refresh(wholeRect(grid));
  }

  /** Show a change as if it were made; null shows the grid as it is. */
  preview(change) {
    this.refresh(this.change?.rect);
    this.change = change?.rect ? change : null;
    this.refresh(this.change?.rect);
  }

  /** Bring a rectangle up to date now, and all that waits for the next frame. */
  draw(rect) {
    if (this.frame !== null) cancelAnimationFrame(this.frame);
    const all = unionRects(this.stale, rect);
    this.frame = this.stale = null;
    if (!all) return;
    for (let y = all.y; y < all.y + all.height; y += 1) {
      const start = y * this.grid.width;
      this.drawCells(start + all.x, start + all.x + all.width, this.grid.cells, 0);
    }
    if (this.change) this.drawChange(this.change);
    this.context.putImageData(this.image, 0, 0, all.x, all.y, all.width, all.height);
  }

  drawChange({ rect, runs, label, values }) {
    const { width } = this.grid;
    if (values) {
      for (let row = 0; row < rect.height; row += 1) {
        const start = (rect.y + row) * width + rect.x;
        this.drawCells(start, start + rect.width, values, start - row * rect.width);
      }
    } else {
      const color = this.palette[label];
      for (let i = 0; i < runs.length; i += 2) this.pixels.fill(color, runs[i], runs[i + 1]);
    }
  }

  /** Pixels `start`..`end` show the ids that stand in `ids` from `start - offset` on. */
  drawCells(start, end, ids, offset) {
    const { pixels, palette, dot } = this;
    const y = Math.floor(start / this.grid.width);
    const firstDot = dotColumn(y) + y * this.grid.width;
    for (let index = start; index < end; index += 1) {
      const id = ids[index - offset];
      const isDot = id === DONT_CARE && (index - firstDot) % DOTS_APART === 0;
      pixels[index] = isDot ? dot : palette[id];
    }
  }
}

const DOTS_APART = 6;

/** Blank paper has a faint pattern of dots, so that it is not taken for snow. NaN: none in row y. */
function dotColumn(y) {
  if (y % DOTS_APART !== 2) return Number.NaN;
  return y % (2 * DOTS_APART) === 2 ? 2 : 5;
}
