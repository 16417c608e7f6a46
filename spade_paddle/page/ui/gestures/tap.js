// Tools that act where one presses: fill and eyedropper.

import { fill } from "../tools/fill.js";

export class Filling {
  constructor(drawing) {
    this.drawing = drawing;
  }

  press(point) {
    const { label } = this.drawing.choices();
    this.drawing.paint(fill(this.drawing.grid, { point, label }));
  }

  drag() {}

  release() {
    return true;
  }
}

export class Eyedropper {
  constructor(drawing) {
    this.drawing = drawing;
  }

  press(point) {
    this.picked = this.drawing.pick(point);
  }

  drag(points) {
    this.press(points[points.length - 1]);
  }

  /** One takes a label to paint with it: back to the tool from before. */
  release() {
    if (this.picked) this.drawing.resumePainting();
    return true;
  }
}
