// A stamp: a tap places it as large as the brush tells, a drag from corner to corner in that size.

import { stamp, stampBox, stampSide } from "../tools/stamp.js";
import { chosenStamp } from "../stamps.js";

export class Stamping {
  constructor(drawing) {
    this.drawing = drawing;
  }

  press(point, { reach = 0.5 } = {}) {
    this.from = this.to = point;
    this.reach = reach; // A hand that trembles has not dragged.
    this.show();
  }

  drag(points) {
    this.to = points[points.length - 1];
    this.show();
  }

  release() {
    const { change, name, box } = this.placed();
    this.drawing.paint(change);
    const [width, height] = [box.width, box.height].map(Math.round);
    this.drawing.say("said_stamp", { stamp: name, width, height });
    return true;
  }

  show() {
    this.drawing.preview(this.placed().change);
  }

  placed() {
    const { name, ratio, parts } = chosenStamp(this.drawing.store.get());
    const { grid } = this.drawing;
    const { from, to } = this;
    const dragged = Math.hypot(to.x - from.x, to.y - from.y) > this.reach;
    const side = stampSide(grid, this.drawing.choices().size);
    const box = stampBox(ratio, { from, to: dragged ? to : null, side });
    return { name, box, change: stamp(grid, { ratio, parts, box }) };
  }
}
