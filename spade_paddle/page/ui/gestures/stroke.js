// Drawing freely with brush or eraser: every movement paints at once.

import { DONT_CARE } from "../grid.js";
import { brush } from "../tools/brush.js";

export class Stroke {
  constructor(drawing) {
    this.drawing = drawing;
  }

  press(point) {
    this.last = point;
    this.paint([point]);
  }

  drag(points) {
    this.paint([this.last, ...points]);
    this.last = points[points.length - 1];
  }

  release() {
    return true;
  }

  paint(points) {
    const { tool, label, size } = this.drawing.choices();
    const paint = tool === "eraser" ? DONT_CARE : label;
    this.drawing.paint(brush(this.drawing.grid, { points, size, label: paint }));
  }
}
