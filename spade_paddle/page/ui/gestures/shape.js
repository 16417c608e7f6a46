// Line, rectangle and ellipse: drawn from where one presses to where one lets go, and shown as they
// would be until then.

import { ellipse, line, rectangle, toEighth, toSquare } from "../tools/shapes.js";

const SHAPES = { line, rectangle, ellipse };

export class Shape {
  constructor(drawing) {
    this.drawing = drawing;
    this.tool = drawing.choices().tool;
  }

  press(point) {
    this.from = this.to = point;
    this.show();
  }

  /** `even` (Shift): a square, a circle, a line of 0, 45 or 90 degrees. */
  drag(points, { even = false } = {}) {
    const straighten = this.tool === "line" ? toEighth : toSquare;
    const end = points[points.length - 1];
    this.to = even ? straighten(this.from, end) : end;
    this.show();
  }

  release() {
    this.drawing.paint(this.change());
    return true;
  }

  show() {
    this.drawing.preview(this.change());
  }

  change() {
    const { label, size } = this.drawing.choices();
    const { from, to } = this;
    return SHAPES[this.tool](this.drawing.grid, { from, to, size, label });
  }
}
