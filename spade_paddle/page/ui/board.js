// The drawing area: canvas, pointer, wheel and keyboard on it, and what is shown above it.

import { useEffect, useRef, useState } from "./vendor/preact-hooks.js";
import { arrowPressed, spaceReleased } from "./board_keys.js";
import { wholeRect } from "./grid.js";
import { html } from "./html.js";
import { Overlay } from "./overlay.js";
import { listenToPointer } from "./pointer.js";
import { SpaceBar } from "./space_bar.js";
import { GridView } from "./view.js";
import { listenToWheel } from "./wheel.js";
import { pinch } from "./zoom.js";

export function Board({ studio, state, t }) {
  const { drawing } = studio;
  const canvas = useRef(null);
  const board = useRef(null);
  const space = useRef(null);
  const [cursor, setCursor] = useState(null); // { point, byKeys }
  const [outline, setOutline] = useState(null);
  const { labels, width, height, zoom } = state;

  useEffect(() => {
    if (!labels) return undefined;
    const view = new GridView(canvas.current, drawing.grid, labels);
    drawing.screen = screenOf(view, setOutline);
    view.draw(wholeRect(drawing.grid));
    space.current = new SpaceBar(board.current);
    const stops = [
      space.current.start(),
      ...listenToLooks(studio, { canvas: canvas.current, board: board.current, space, setCursor }),
    ];
    return () => stops.forEach((stop) => stop());
  }, [labels, width, height]);

  const at = cursor?.point ?? middleOf(state);
  const byKeys = cursor?.byKeys ?? true;
  const onKeyDown = (event) => {
    if (!drawing.grid) return;
    const point = arrowPressed(event, { drawing, zoom: studio.zoom, at });
    if (point) setCursor({ point, byKeys: true });
    if (point || event.key === " ") event.preventDefault();
  };
  const onKeyUp = (event) => {
    if (event.key !== " " || !drawing.grid || !byKeys || space.current?.panned) return;
    spaceReleased(event, { drawing, zoom: studio.zoom, at });
    setCursor({ point: at, byKeys: true });
  };
  const onBlur = () => {
    setCursor(null);
    if (byKeys) drawing.takeBackPress();
  };

  const transform = `translate(${zoom.x * 100}%, ${zoom.y * 100}%) scale(${zoom.scale})`;
  return html`<div ref=${board} class="board" style=${`--ratio: ${width || 1} / ${height || 1}`}>
    <canvas
      ref=${canvas}
      data-testid="doodle"
      role="application"
      tabindex="0"
      aria-label=${t("doodle_help")}
      style=${`transform: ${transform}`}
      onKeyDown=${onKeyDown}
      onKeyUp=${onKeyUp}
      onBlur=${onBlur}
    />
    ${labels &&
    html`<${Overlay} state=${state} cursor=${cursor} outline=${outline} middle=${middleOf(state)} />`}
  </div>`;
}

function screenOf(view, setOutline) {
  return {
    // Another size comes with other labels or sizes in the store, and then with another view.
    open: (grid) => {
      const same = grid.width === view.grid.width && grid.height === view.grid.height;
      if (same) view.open(grid);
    },
    refresh: (rect) => view.refresh(rect),
    preview: (change) => view.preview(change),
    outline: setOutline,
  };
}

function listenToLooks({ drawing, zoom }, { canvas, board, space, setCursor }) {
  const look = {
    move: (movement) => {
      space.current.panned = true;
      return zoom.set(pinch(zoom.now, movement));
    },
    holdsSpace: () => space.current.held,
  };
  const draw = {
    press: (point, how, event) => {
      if (!event.altKey) return drawing.press(point, how);
      drawing.pick(point);
      return false;
    },
    drag: (points, how) => drawing.drag(points, how),
    release: () => drawing.release(),
    takeBack: () => drawing.takeBackPress(),
    hover: (point, how) => {
      setCursor(point && { point, byKeys: false });
      if (!point) return;
      drawing.hover(point, how);
      canvas.style.cursor = drawing.cursorAt(point, how.reach);
    },
  };
  const size = () => drawing.grid;
  return [listenToPointer(canvas, { board, size, draw, look }), listenToWheel(board, look)];
}

/** The middle of what is seen, in cells. */
function middleOf({ width, height, zoom }) {
  return {
    x: ((0.5 - zoom.x) / zoom.scale) * width,
    y: ((0.5 - zoom.y) / zoom.scale) * height,
  };
}
