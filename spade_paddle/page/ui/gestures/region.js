// Moving: mark a rectangle, then drag what it holds, or a corner of it to scale. Nothing changes in
// the grid until it is set down.

import { clipRect } from "../grid.js";
import { moveRegion } from "../tools/region.js";
import {
  draggedCorner,
  draggedRect,
  holds,
  nudgedRect,
  reachedCorner,
  rectBetween,
} from "../tools/frame.js";

const FEWEST_CELLS = 4; // Less is a click.

export class Region {
  constructor(drawing) {
    this.drawing = drawing;
    this.from = this.to = null;
  }

  press(point, { reach = 0.5 } = {}) {
    const corner = this.to && reachedCorner(this.to, point, reach);
    const inside = this.to && holds(this.to, point);
    if (this.to && !corner && !inside) this.setDown();
    const doing = corner ? "scale" : inside ? "move" : "mark";
    this.hold = { doing, corner, start: point, before: this.to };
  }

  /** `even` (Shift): scaling keeps the proportions, marking makes a square. */
  drag(points, { even = false } = {}) {
    const { doing, corner, start, before } = this.hold;
    const end = points[points.length - 1];
    const { grid } = this.drawing;
    if (doing === "mark") this.marked = clipRect(grid, rectBetween(start, end, even));
    else if (doing === "move") this.to = draggedRect(before, start, end, grid);
    else this.to = draggedCorner(before, { corner, start, end, even });
    this.show();
  }

  /** Returns whether the gesture is over: a click that marked nothing. */
  release() {
    const { doing } = this.hold;
    this.hold = null;
    if (doing !== "mark") return false;
    const { marked } = this;
    this.marked = null;
    if (!marked || marked.width * marked.height < FEWEST_CELLS) return true;
    this.from = this.to = marked;
    this.show();
    const { width, height } = marked;
    this.drawing.say("said_region", { width, height });
    return false;
  }

  confirm() {
    if (this.to) this.setDown();
    this.drawing.finish();
  }

  settle() {
    this.confirm();
  }

  /** Put it back where it was. Returns whether it had been elsewhere. */
  back() {
    if (!this.change().rect) {
      this.drawing.cancel();
      return false;
    }
    this.to = this.from;
    this.show();
    return true;
  }

  takeBackPress() {
    const { doing, before } = this.hold;
    this.hold = this.marked = null;
    this.to = before;
    if (doing === "mark") this.drawing.cancel();
    else this.show();
  }

  /** Arrow keys, in cells. Returns whether there is something to move. */
  nudge(dx, dy, { resize }) {
    if (!this.to || this.hold) return false;
    this.to = nudgedRect(this.to, { dx, dy, resize, grid: this.drawing.grid });
    this.show();
    const { x, y, width, height } = this.to;
    this.drawing.say("said_moved", { x, y, width, height });
    return true;
  }

  /** The mouse cursor over a point. */
  cursorAt(point, reach) {
    if (!this.to) return "";
    const corner = reachedCorner(this.to, point, reach);
    if (corner) return corner.x === corner.y ? "nwse-resize" : "nesw-resize";
    return holds(this.to, point) ? "move" : "";
  }

  setDown() {
    const change = this.change();
    this.from = this.to = null;
    this.drawing.preview(null);
    this.drawing.outline(null);
    this.drawing.paint(change);
    if (this.drawing.commit()) this.drawing.say("said_set_down");
  }

  show() {
    this.drawing.preview(this.to && this.change());
    this.drawing.outline({ rect: this.marked || this.to, marking: Boolean(this.marked) });
  }

  change() {
    return this.to ? moveRegion(this.drawing.grid, this) : { rect: null };
  }
}
