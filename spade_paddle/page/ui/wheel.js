// The wheel over the board zooms at the pointer; sideways (or with Shift) it pans. Pinching on a
// touchpad comes as a wheel with Ctrl.

import { listen } from "./pointer.js";

const PX_OF_MODE = [1, 33, 800]; // Pixels, lines, pages.
const LONGEST_PX = 150; // Some wheels send very long steps.
const PER_PX = 0.0018;
const PER_PX_PINCHED = 0.01;

/** `look.move({ from, to, factor })` as for the pointer; returns whether it changed anything. */
export function listenToWheel(board, look) {
  const wheel = (event) => {
    const box = board.getBoundingClientRect();
    const at = {
      x: (event.clientX - box.left) / box.width,
      y: (event.clientY - box.top) / box.height,
    };
    const { aside, ahead } = stepsOf(event);
    const factor = Math.exp(-ahead * (event.ctrlKey ? PER_PX_PINCHED : PER_PX));
    const to = { x: at.x - aside / box.width, y: at.y };
    const moved = look.move({ from: at, to, factor });
    // Where there is nothing to zoom out of, the wheel scrolls the page; Ctrl never zooms the page.
    if (moved || event.ctrlKey) event.preventDefault();
  };
  return listen(board, { wheel }, { passive: false });
}

/** Pixels sideways and ahead. */
function stepsOf({ deltaX, deltaY, deltaMode, shiftKey }) {
  const pixels = (delta) =>
    Math.max(-LONGEST_PX, Math.min(LONGEST_PX, delta * (PX_OF_MODE[deltaMode] ?? 1)));
  const [aside, ahead] = shiftKey && !deltaX ? [deltaY, 0] : [deltaX, deltaY];
  return { aside: pixels(aside), ahead: pixels(ahead) };
}
