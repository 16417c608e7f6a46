// Pointer events on the board: one pointer draws; two fingers zoom and pan, and so do the wheel, the
// middle button and a drag with the space bar held.
//
// Two fingers never land at once. A second one that comes soon after the first, before that has gone
// far, makes a pinch, and what the first began is taken back. Later ones are ignored (a palm resting
// on the tablet must not paint), and a pen goes before all fingers.

// What keeps a press to itself, also where the pointer leaves it.
const CONTROLS = "button, a, input, label, select, textarea, summary, dialog, [role=button]";
const SOON_MS = 300;
const FAR_PX = 24;
const REACH_PX = { touch: 22, pen: 14, mouse: 10 }; // How near hits a corner.

/**
 * Listen on the canvas; `board` is the element that shows a part of it. `draw` has `press(point,
 * how)` (false: not a drag), `drag(points, how)`, `release()`, `takeBack()` and `hover(point | null,
 * how)`, in grid coordinates; `look` has `move({ from, to, factor })` in fractions of the board and
 * `holdsSpace()`. `size()` is the grid's `{ width, height }` or null. Returns how to stop listening.
 */
export function listenToPointer(canvas, { board, size, draw, look }) {
  const down = new Map(); // The pointers that draw, pan or pinch, as they were last seen.
  let doing = null; // "draw", "look", or null.
  let pressedOn = null; // What was under the pointer when a button went down.
  let seen = { x: Number.NaN, y: Number.NaN };

  const locate = (event, box) => ({
    x: ((event.clientX - box.left) / box.width) * size().width,
    y: ((event.clientY - box.top) / box.height) * size().height,
    ...(event.pointerType === "pen" && { pressure: event.pressure }),
  });
  const howOf = (event, box) => ({
    even: event.shiftKey,
    reach: (REACH_PX[event.pointerType] ?? REACH_PX.mouse) * (size().width / box.width),
  });

  const begin = (event) => {
    const box = canvas.getBoundingClientRect();
    if (draw.press(locate(event, box), howOf(event, box), event) === false) return;
    doing = "draw";
    follow(event);
    draw.hover(locate(event, box), howOf(event, box));
  };

  const follow = (event) => {
    const { clientX: x, clientY: y, pointerType: type, timeStamp: since } = event;
    down.set(event.pointerId, { x, y, type, since, start: { x, y }, far: 0 });
    canvas.setPointerCapture(event.pointerId);
  };

  const stopDrawing = () => {
    draw.takeBack();
    draw.hover(null);
    down.clear();
  };

  const pressed = (event) => {
    if (!size() || event.button > 1) return;
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    const [first] = down.values();
    if (!first) {
      const pans = event.button === 1 || (event.button === 0 && look.holdsSpace());
      if (pans) {
        doing = "look";
        follow(event);
      } else if (event.button === 0) {
        begin(event);
      }
    } else if (doing === "draw" && first.type === "touch" && event.pointerType === "pen") {
      stopDrawing();
      begin(event);
    } else if (doing === "draw" && isPinch(first, event)) {
      const [[id, finger]] = down;
      stopDrawing();
      doing = "look";
      down.set(id, finger);
      follow(event);
    }
  };

  /** A stroke may begin outside and come in. */
  const entered = (event) => {
    const isStroke = event.buttons === 1 && event.pointerType !== "touch";
    if (!isStroke || !size() || down.size || pressedOn?.closest?.(CONTROLS)) return;
    canvas.focus({ preventScroll: true });
    begin(event);
  };

  const moved = (event) => {
    if (!size()) return;
    const pointer = down.get(event.pointerId);
    if (!pointer) {
      // The browser also sends moves when only the page under the pointer moved.
      const same = seen.x === event.clientX && seen.y === event.clientY;
      seen = { x: event.clientX, y: event.clientY };
      if (!down.size && event.pointerType !== "touch" && !same) {
        const box = canvas.getBoundingClientRect();
        draw.hover(locate(event, box), howOf(event, box));
      }
    } else if (doing === "look") {
      looked(event, pointer);
    } else {
      drew(event, pointer);
    }
  };

  const drew = (event, pointer) => {
    Object.assign(pointer, { x: event.clientX, y: event.clientY });
    pointer.far = Math.max(pointer.far, distance(pointer.start, pointer));
    // Missing outside secure contexts, e.g. on http://192.168.x.x.
    const events = event.getCoalescedEvents?.() ?? [];
    const box = canvas.getBoundingClientRect();
    const how = howOf(event, box);
    draw.drag((events.length ? events : [event]).map((one) => locate(one, box)), how);
    draw.hover(locate(event, box), how);
  };

  const looked = (event, pointer) => {
    const before = [...down.values()].map(({ x, y }) => ({ x, y }));
    Object.assign(pointer, { x: event.clientX, y: event.clientY });
    const after = [...down.values()];
    const box = board.getBoundingClientRect();
    const place = (points) => {
      const { x, y } = middle(points);
      return { x: (x - box.left) / box.width, y: (y - box.top) / box.height };
    };
    const factor = after.length === 2 ? distance(...after) / (distance(...before) || 1) : 1;
    look.move({ from: place(before), to: place(after), factor });
  };

  const lifted = (event) => {
    if (!down.delete(event.pointerId) || down.size) return;
    const drew = doing === "draw";
    doing = null;
    if (drew) draw.release();
    if (event.pointerType === "touch") draw.hover(null);
  };

  const left = () => down.size || draw.hover(null);

  const stopWatching = listen(
    document,
    {
      pointerdown: ({ target }) => { pressedOn = target; },
      pointerup: () => { pressedOn = null; },
    },
    { capture: true },
  );
  const stopListening = listen(canvas, {
    pointerdown: pressed,
    pointerenter: entered,
    pointermove: moved,
    pointerup: lifted,
    pointercancel: lifted,
    lostpointercapture: lifted,
    pointerleave: left,
    // No automatic scrolling and no pasting by the middle button.
    mousedown: (event) => event.button === 1 && event.preventDefault(),
    auxclick: (event) => event.preventDefault(),
  });
  return () => {
    stopWatching();
    stopListening();
  };
}

/** Whether a second finger makes a pinch of what the first began. */
function isPinch(first, event) {
  const soon = event.timeStamp - first.since < SOON_MS;
  return first.type === "touch" && event.pointerType === "touch" && soon && first.far < FAR_PX;
}

function middle(points) {
  const sum = (key) => points.reduce((total, point) => total + point[key], 0);
  return { x: sum("x") / points.length, y: sum("y") / points.length };
}

function distance(a, b) {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

/** Add listeners by name; returns a function that removes them. */
export function listen(target, handlers, options) {
  const all = Object.entries(handlers);
  for (const [name, handler] of all) target.addEventListener(name, handler, options);
  return () => {
    for (const [name, handler] of all) target.removeEventListener(name, handler, options);
  };
}
