// The doodle by keyboard: arrows move a cursor, space presses where it stands. Space is also held to
// pan with the mouse, so it acts when it is let go, and only while the keys lead the cursor.

import { labelAt } from "./tools/fill.js";
import { toolNamed } from "./tools.js";
import { reveal } from "./zoom.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEPS_ACROSS = 64;

/** How far an arrow goes, in cells: half the brush, or a part of the doodle; less when zoomed in. */
export function stepOf({ tool, size, width, scale }) {
  const step = toolNamed(tool).sized ? size / 2 : width / STEPS_ACROSS;
  return Math.max(1, Math.round(step / scale));
}

/** `at` is the cursor `{ x, y }` in cells; returns where it is now, or null for keys of others. */
export function arrowPressed(event, { drawing, zoom, at }) {
  if (!(event.key in ARROWS) || event.ctrlKey || event.metaKey || event.altKey) return null;
  const { width, height } = drawing.grid;
  const step = stepNow(drawing, zoom);
  const [dx, dy] = ARROWS[event.key].map((part) => part * step);
  if (drawing.nudge(dx, dy, { resize: event.shiftKey })) return at;
  const next = {
    x: Math.min(width - 0.5, Math.max(0.5, at.x + dx)),
    y: Math.min(height - 0.5, Math.max(0.5, at.y + dy)),
  };
  const { tool } = drawing.choices();
  const how = { even: event.shiftKey, reach: step / 2 };
  if (drawing.pressed) {
    drawing.drag([next], how);
  } else if (event.shiftKey && (tool === "brush" || tool === "eraser")) {
    drawing.press(at, how);
    drawing.drag([next], how);
    drawing.release();
  } else {
    drawing.hover(next, how);
  }
  zoom.set(reveal(zoom.now, { x: next.x / width, y: next.y / height }));
  sayWhere(drawing, next);
  return next;
}

/** Space was let go: press at the cursor, or let go what a former one holds. */
export function spaceReleased(event, { drawing, zoom, at }) {
  const how = { even: event.shiftKey, reach: stepNow(drawing, zoom) / 2 };
  const { said } = drawing.store.get();
  if (drawing.pressed) drawing.release();
  else if (drawing.gesture?.nudge) drawing.confirm();
  else {
    drawing.press(at, how);
    if (!toolNamed(drawing.choices().tool).held) drawing.release();
  }
  // Painted: say what is there now, unless something better was said.
  if (!drawing.gesture && drawing.store.get().said === said) sayWhere(drawing, at);
}

function stepNow(drawing, zoom) {
  const { width } = drawing.grid;
  return stepOf({ ...drawing.choices(), width, scale: zoom.now.scale });
}

function sayWhere(drawing, { x, y }) {
  const { grid } = drawing;
  const share = (part, all) => Math.round((part / all) * 100);
  drawing.say("said_cursor", {
    label: labelAt(grid, { x, y }),
    across: share(x, grid.width),
    down: share(y, grid.height),
  });
}
