// A polygon: one press for each corner. It stays open between the presses, until it is closed by
// the first corner, by the last one again (a double click) or by Enter.

import { polygon } from "../tools/polygon.js";

const FEWEST_CORNERS = 3;

export class Polygon {
  constructor(drawing) {
    this.drawing = drawing;
    this.corners = [];
    this.aimed = null; // Where the next corner would stand.
    this.hit = null; // The corner under it: "first", "last" or null.
  }

  press(point, how) {
    this.aim(point, how);
  }

  drag(points, how) {
    this.aim(points[points.length - 1], how);
  }

  /** Returns whether this closed the polygon. */
  release() {
    const enough = this.corners.length >= FEWEST_CORNERS;
    if (this.hit && enough) return this.close();
    if (!this.hit) {
      this.corners.push(this.aimed);
      this.drawing.say("said_corner", { count: this.corners.length });
    }
    this.show();
    return false;
  }

  hover(point, how) {
    this.aim(point, how);
  }

  confirm() {
    if (this.corners.length < FEWEST_CORNERS) {
      this.drawing.say("said_too_few_corners");
      return;
    }
    this.close();
    this.drawing.finish();
  }

  /** Take the last corner back. */
  back() {
    this.corners.pop();
    this.hit = null;
    if (this.corners.length) {
      this.drawing.say("said_corner", { count: this.corners.length });
      this.show();
    } else {
      this.drawing.cancel();
    }
    return true;
  }

  takeBackPress() {
    this.aimed = this.hit = null;
    if (this.corners.length) this.show();
    else this.drawing.cancel();
  }

  /** Something else begins: nobody wants to lose many corners, and one step of undo is enough. */
  settle() {
    if (this.corners.length >= FEWEST_CORNERS) this.confirm();
    else this.drawing.cancel();
  }

  aim(point, { reach = 0.5 } = {}) {
    const near = (corner, distance) =>
      corner && Math.hypot(corner.x - point.x, corner.y - point.y) <= distance;
    const first = this.corners[0];
    const last = this.corners[this.corners.length - 1];
    this.hit = null;
    if (this.corners.length >= FEWEST_CORNERS && near(first, reach)) this.hit = "first";
    else if (near(last, reach / 2)) this.hit = "last";
    this.aimed = this.hit ? null : point;
    this.show();
  }

  close() {
    this.aimed = null;
    this.drawing.paint(this.change());
    this.drawing.say("said_polygon");
    return true;
  }

  show() {
    this.drawing.preview(this.change());
    const { corners, aimed, hit } = this;
    this.drawing.outline({ corners: [...corners], aimed, closes: hit === "first" });
  }

  change() {
    const points = this.aimed ? [...this.corners, this.aimed] : this.corners;
    return polygon(this.drawing.grid, { points, label: this.drawing.choices().label });
  }
}
