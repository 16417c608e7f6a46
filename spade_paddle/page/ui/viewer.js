// A picture as large as the window, over the page: the one of now, or one of the gallery. Not the
// browser's own full screen, which iPhones do not give to pictures.

import { useEffect, useLayoutEffect, useRef } from "./vendor/preact-hooks.js";
import { wholeRect } from "./grid.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { GridView } from "./view.js";

const SWIPE = 48; // pixels; less is a tap
const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

/**
 * A ref for a modal `<dialog>`, open before the next key is heard (an effect comes a frame later: Escape
 * would go to what lies below). Its own `close()` gives the focus back; taking it off the page does not.
 */
export function useModal() {
  const dialog = useRef(null);
  useLayoutEffect(() => dialog.current.showModal(), []);
  return dialog;
}

/**
 * `onStep(1)` and `onStep(-1)`, where there are others to go to; `doodle`: a grid to show beside it, in the
 * colors of `labels`; `children`: what stands under it. `onClose` hears that it is closed, and takes it off.
 */
export function Viewer({ name, url, alt, t, onClose, onStep, doodle, labels, children }) {
  const dialog = useModal();
  const close = () => dialog.current.close();
  const swipe = useSwipe(onStep);
  const onKeyDown = ({ key }) => key in STEPS && onStep?.(STEPS[key]);
  const onClick = (event) => {
    if (!swipe.ended(event) && !event.target.closest("button, .viewer-foot")) close();
  };
  const step = (by, icon, word) => html`<button
    type="button"
    class=${`icon-button viewer-${icon}`}
    aria-label=${word}
    title=${word}
    data-testid=${`${name}-${icon}`}
    onClick=${() => onStep(by)}
  ><${Icon} name=${icon} /></button>`;
  return html`<dialog
    ref=${dialog}
    class="viewer"
    aria-label=${alt}
    data-testid=${name}
    onClose=${onClose}
    onClick=${onClick}
    onKeyDown=${onKeyDown}
    onPointerDown=${swipe.began}
  >
    <button
      type="button"
      class="icon-button viewer-close"
      autofocus
      aria-label=${t("close")}
      title=${t("close")}
      data-testid=${`${name}-close`}
      onClick=${close}
    ><${Icon} name="close" /></button>
    <div class="viewer-shown">
      <img src=${url} alt=${alt} draggable=${false} data-testid=${`${name}-picture`} />
      ${doodle && html`<${Doodle} grid=${doodle} labels=${labels} />`}
    </div>
    ${onStep && step(-1, "previous", t("previous_picture"))}
    ${onStep && step(1, "next", t("next_picture"))}
    ${children && html`<div class="viewer-foot">${children}</div>`}
  </dialog>`;
}

/** A finger or the mouse moves sideways: to the next picture. */
function useSwipe(onStep) {
  const start = useRef(null);
  const swiped = useRef(false);
  const now = useRef(onStep);
  now.current = onStep;
  useEffect(() => {
    const release = (event) => {
      if (event.pointerId !== start.current?.pointerId) return;
      const across = event.clientX - start.current.clientX;
      const down = event.clientY - start.current.clientY;
      start.current = null;
      swiped.current = Math.abs(across) > Math.max(SWIPE, Math.abs(down));
      if (swiped.current) now.current?.(across < 0 ? 1 : -1);
    };
    const cancel = () => (start.current = null); // The browser took it, to zoom or to scroll.
    addEventListener("pointerup", release);
    addEventListener("pointercancel", cancel);
    return () => {
      removeEventListener("pointerup", release);
      removeEventListener("pointercancel", cancel);
    };
  }, []);
  return {
    began(event) {
      swiped.current = false;
      start.current = event.isPrimary ? event : null; // Two fingers zoom.
    },
    /** Whether a click is but the end of a swipe; those of the keyboard never are. */
    ended: (event) => event.detail > 0 && swiped.current,
  };
}

function Doodle({ grid, labels }) {
  const canvas = useRef(null);
  useEffect(() => {
    new GridView(canvas.current, grid, labels).draw(wholeRect(grid));
  }, [grid, labels]);
  return html`<canvas ref=${canvas} aria-hidden="true" />`;
}
