// Pointer events on the canvas as gestures in grid coordinates. One pointer draws; while it does,
// further fingers are ignored (a palm resting on the tablet must not paint).

/** Calls `start(point, event)`, `move(points)`, `end()` and `hover(position | null)`. */
export function listenToPointer(canvas, { grid, start, move, end, hover }) {
  let active = null;

  const locate = (event, box = canvas.getBoundingClientRect()) => {
    const { width, height } = grid();
    return {
      x: ((event.clientX - box.left) / box.width) * width,
      y: ((event.clientY - box.top) / box.height) * height,
    };
  };

  const down = (event) => {
    if (active !== null || event.button !== 0 || !grid()) return;
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    if (start(locate(event), event) === false) return;
    active = event.pointerId;
    canvas.setPointerCapture(active);
    hover(locate(event));
  };

  const moved = (event) => {
    if (!grid()) return;
    if (active === null && event.pointerType !== "touch") hover(locate(event));
    if (event.pointerId !== active) return;
    // Missing outside secure contexts, e.g. on http://192.168.x.x.
    const events = event.getCoalescedEvents?.() ?? [];
    const box = canvas.getBoundingClientRect();
    move((events.length ? events : [event]).map((one) => locate(one, box)));
    hover(locate(event, box));
  };

  const up = (event) => {
    if (event.pointerId !== active) return;
    active = null;
    end();
    if (event.pointerType === "touch") hover(null);
  };

  const left = () => active === null && hover(null);

  const handlers = { pointerdown: down, pointermove: moved, pointerup: up, pointercancel: up,
    lostpointercapture: up, pointerleave: left };
  for (const [name, handler] of Object.entries(handlers)) canvas.addEventListener(name, handler);
  return () => {
    for (const [name, handler] of Object.entries(handlers)) canvas.removeEventListener(name, handler);
  };
}
