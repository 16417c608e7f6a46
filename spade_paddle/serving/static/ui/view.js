// Shows a grid on a canvas, one canvas pixel for each cell. Only ever draws.

import { DONT_CARE } from "./grid.js";

export const PAPER = [243, 239, 229];
const PAPER_DOT = [228, 222, 208];

/** Colours for ids 0..255 as bytes R, G, B. Ids without a label look like paper. */
export function paletteBytes(labels) {
  const bytes = new Uint8Array(256 * 3);
  for (let id = 0; id < 256; id += 1) bytes.set(PAPER, id * 3);
  for (const { id, color } of labels) {
    const value = Number.parseInt(color.slice(1), 16);
    bytes.set([value >> 16, (value >> 8) & 255, value & 255], id * 3);
  }
  return bytes;
}

export class GridView {
  constructor(canvas, grid, labels) {
    canvas.width = grid.width;
    canvas.height = grid.height;
    this.grid = grid;
    this.context = canvas.getContext("2d");
    this.image = this.context.createImageData(grid.width, grid.height);
    this.palette = paletteBytes(labels);
  }

  /** Bring a rectangle up to date. */
  draw(rect) {
    const { grid, image, palette } = this;
    for (let y = rect.y; y < rect.y + rect.height; y += 1) {
      for (let x = rect.x; x < rect.x + rect.width; x += 1) {
        const index = y * grid.width + x;
        const id = grid.cells[index];
        const dot = id === DONT_CARE && isDot(x, y);
        for (let c = 0; c < 3; c += 1) {
          image.data[index * 4 + c] = dot ? PAPER_DOT[c] : palette[id * 3 + c];
        }
        image.data[index * 4 + 3] = 255;
      }
    }
    this.context.putImageData(image, 0, 0, rect.x, rect.y, rect.width, rect.height);
  }
}

/** Blank paper has a faint pattern of dots, so that it is not taken for snow. */
function isDot(x, y) {
  return y % 6 === 2 && (x + (y % 12 === 2 ? 0 : 3)) % 6 === 2;
}
