// The doodle under the person's hand: grid, history and the gesture under way. Everything that the
// components show goes through the store, everything on the canvas through `screen`.
//
// A gesture (gestures/) hears `press`, `drag` and `release`, from the pointer and from the keyboard
// alike, and is one step of undo. Some stay open between presses: a polygon, a region on the move.

import { DONT_CARE, applyChange, wholeRect, withoutGaps } from "./grid.js";
import { Polygon } from "./gestures/polygon.js";
import { Region } from "./gestures/region.js";
import { Shape } from "./gestures/shape.js";
import { Stroke } from "./gestures/stroke.js";
import { Stamping } from "./gestures/stamp.js";
import { Eyedropper, Filling } from "./gestures/tap.js";
import { History } from "./history.js";
import { clear, labelAt } from "./tools/fill.js";
import { SIZES } from "./tools.js";

const GESTURES = {
  brush: Stroke,
  eraser: Stroke,
  line: Shape,
  rectangle: Shape,
  ellipse: Shape,
  polygon: Polygon,
  stamp: Stamping,
  fill: Filling,
  eyedropper: Eyedropper,
  move: Region,
};
const PAINTLESS = ["eraser", "eyedropper", "move", "stamp"];
/** @type {Record<string, (...shown: any[]) => void>} */
const NO_SCREEN = { open() {}, refresh() {}, preview() {}, outline() {} };

export class Drawing {
  /**
   * `onChange()` hears of every change of the grid, also in the middle of a gesture, `onStep()` of
   * every step that is done. `wayBack()` gives what a step with another doodle takes back beside it:
   * a function that puts it back and gives the way forth.
   */
  constructor({ store, onChange, onStep, wayBack }) {
    this.store = store;
    this.onChange = onChange;
    this.onStep = onStep;
    this.wayBack = wayBack;
    this.grid = null;
    this.history = null;
    this.screen = NO_SCREEN;
    this.gesture = null;
    this.pressed = false;
    this.paintingTool = "brush";
  }

  /** Draw on this grid from now on; there is nothing to undo yet. */
  open(grid) {
    this.cancel();
    this.grid = grid;
    this.history = new History(grid);
    this.screen.open(grid);
    this.tell();
  }

  // Gestures. `how`: `even` (Shift), `reach` (how near, in cells, hits a corner).

  press(point, how) {
    if (!this.grid) return;
    if (this.pressed) this.cancel();
    this.gesture ??= new GESTURES[this.store.get().tool](this);
    this.pressed = true;
    this.gesture.press(point, how);
  }

  drag(points, how) {
    if (this.pressed) this.gesture.drag(points, how);
  }

  release() {
    if (!this.pressed) return;
    this.pressed = false;
    if (this.gesture.release()) this.finish();
  }

  /** The pointer moves without pressing. */
  hover(point, how) {
    if (!this.pressed) this.gesture?.hover?.(point, how);
  }

  /** Undo only the press under way: it was the first finger of two. */
  takeBackPress() {
    if (!this.pressed) return;
    this.pressed = false;
    if (this.gesture.takeBackPress) this.gesture.takeBackPress();
    else this.cancel();
  }

  /** Enter: finish what is open. Returns whether something was. */
  confirm() {
    if (this.pressed) this.release();
    else if (this.gesture) this.gesture.confirm?.();
    else return false;
    return true;
  }

  /** Escape: give up what is open. Returns whether something was. */
  cancel() {
    if (!this.gesture) return false;
    const rect = this.history.cancel();
    this.finish();
    if (rect) this.changed(rect);
    return true;
  }

  /** Before something else begins: finish what can be finished, give up the rest. */
  settle() {
    this.pressed = false;
    if (this.gesture?.settle) this.gesture.settle();
    else this.cancel();
  }

  /** Backspace: take the last part of an open gesture back. Returns whether there was one. */
  back() {
    return !this.pressed && (this.gesture?.back?.() ?? false);
  }

  /** Arrow keys: move or (`resize`) scale an open region. Returns whether there was one. */
  nudge(dx, dy, how) {
    return this.gesture?.nudge?.(dx, dy, how) ?? false;
  }

  /** The mouse cursor over a point, or "" for the usual one. */
  cursorAt(point, reach) {
    return this.gesture?.cursorAt?.(point, reach) ?? "";
  }

  // Steps.

  undo() {
    if (!this.pressed && !this.back()) this.step(() => this.history.undo(), "said_undone");
  }

  redo() {
    if (!this.pressed) this.step(() => this.history.redo(), "said_redone");
  }

  clear() {
    this.whole(() => this.paint(clear(this.grid)));
  }

  /** Other content for the whole grid, in one step. */
  replace(cells) {
    this.whole(() => this.paint({ rect: wholeRect(this.grid), values: cells }));
  }

  /** Give blank cells the label that is nearest. */
  fillRest() {
    this.replace(withoutGaps(this.grid).cells);
  }

  // Choices.

  selectTool(tool) {
    if (tool === this.store.get().tool) return;
    this.settle();
    if (!PAINTLESS.includes(tool)) this.paintingTool = tool;
    this.store.set({ tool });
    this.say(tool);
  }

  /** Back from a tool that does not paint with the label to the one that did before. */
  resumePainting() {
    const { tool } = this.store.get();
    if (tool !== "move" && PAINTLESS.includes(tool)) this.store.set({ tool: this.paintingTool });
  }

  selectStamp(stamp) {
    this.store.set({ stamp });
    this.gesture?.show?.();
  }

  selectLabel(label) {
    this.store.set({ label });
    if (!this.pressed) this.resumePainting();
    this.gesture?.show?.();
  }

  /** Take the label under the point as the one to paint with. Returns whether there is one. */
  pick(point) {
    const label = this.grid && labelAt(this.grid, point);
    if (label === null || label === DONT_CARE) return false;
    this.selectLabel(label);
    this.say("said_picked", { label });
    return true;
  }

  choices() {
    const { tool, label, sizeIndex } = this.store.get();
    return { tool, label, size: SIZES[sizeIndex] };
  }

  // For gestures.

  paint(change) {
    if (!change.rect) return;
    applyChange(this.grid, change);
    this.history.touch(change.rect);
    this.changed(change.rect);
  }

  /** Show a change as if it were made. */
  preview(change) {
    this.screen.preview(change);
  }

  /** Show lines above the doodle: corners of a polygon, the frame of a region. */
  outline(outline) {
    this.screen.outline(outline);
  }

  /** Have a screen reader say something: a key of the dictionary and its values. */
  say(key, values = {}) {
    this.store.set({ said: { key, values } });
  }

  /** The gesture is over. */
  finish() {
    this.gesture = null;
    this.pressed = false;
    this.preview(null);
    this.outline(null);
    this.commit();
  }

  /** One step of undo ends here. Returns whether it changed anything. */
  commit(goBack = null) {
    const changed = this.history.commit(goBack);
    if (changed) this.told();
    return changed;
  }

  // How it is done.

  whole(action) {
    if (!this.grid || this.pressed) return;
    this.cancel();
    const goBack = this.wayBack();
    action();
    this.commit(goBack);
  }

  step(action, said) {
    if (!this.grid) return;
    this.cancel();
    const rect = action();
    if (!rect) return;
    this.changed(rect);
    this.told();
    this.say(said);
  }

  changed(rect) {
    this.screen.refresh(rect);
    this.onChange();
  }

  told() {
    this.tell();
    this.onStep();
  }

  tell() {
    const { canUndo, canRedo } = this.history;
    this.store.set({ canUndo, canRedo });
  }
}
