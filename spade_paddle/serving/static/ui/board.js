// The drawing area: canvas, the ring that shows the brush, and painting by keyboard.

import { useEffect, useRef, useState } from "./vendor/preact-hooks.js";
import { wholeRect } from "./grid.js";
import { html } from "./html.js";
import { listenToPointer } from "./pointer.js";
import { SIZES } from "./studio.js";
import { GridView } from "./view.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SIZE_SHOWN_MS = 900;

export function Board({ studio, state, t }) {
  const canvas = useRef(null);
  const [cursor, setCursor] = useState(null);
  const { labels, width, height, tool, sizeIndex } = state;

  useEffect(() => {
    if (!labels) return undefined;
    const view = new GridView(canvas.current, studio.grid, labels);
    studio.onDraw = (rect) => view.draw(rect);
    view.draw(wholeRect(studio.grid));
    return listenToPointer(canvas.current, {
      grid: () => studio.grid,
      start: (point, event) => {
        if (!event.altKey) return studio.startGesture(point);
        studio.pick(point);
        return false;
      },
      move: (points) => studio.moveGesture(points),
      end: () => studio.endGesture(),
      hover: setCursor,
    });
  }, [labels, width, height]);

  const sizeJustChanged = useRecentChange(sizeIndex);
  const middle = width && { x: width / 2, y: height / 2 };
  const at = cursor || (sizeJustChanged ? middle : null);

  const onKeyDown = (event) => {
    if (!studio.grid || event.ctrlKey || event.metaKey) return;
    const point = cursor || middle;
    if (event.key in ARROWS) {
      const [dx, dy] = ARROWS[event.key];
      const step = Math.max(1, SIZES[sizeIndex] / 2);
      const next = {
        x: Math.min(width - 0.5, Math.max(0.5, point.x + dx * step)),
        y: Math.min(height - 0.5, Math.max(0.5, point.y + dy * step)),
      };
      if (event.shiftKey) paintBetween(studio, point, next);
      setCursor(next);
    } else if (event.key === " ") {
      paintBetween(studio, point, point);
      setCursor(point);
    } else {
      return;
    }
    event.preventDefault();
  };

  return html`<div class="board" style=${`--ratio: ${width || 1} / ${height || 1}`}>
    <canvas
      ref=${canvas}
      data-testid="doodle"
      role="application"
      tabindex="0"
      aria-label=${t("doodle_help")}
      onKeyDown=${onKeyDown}
      onBlur=${() => setCursor(null)}
    />
    ${at && tool === "fill" && cursor && html`<span class="cross" style=${place(at, state)} />`}
    ${at &&
    tool !== "fill" &&
    html`<span
      class=${`ring ${tool === "eraser" ? "ring-eraser" : ""}`}
      data-testid="ring"
      style=${`${place(at, state)} width: ${(SIZES[sizeIndex] / width) * 100}%`}
    />`}
  </div>`;
}

function paintBetween(studio, from, to) {
  studio.startGesture(from);
  if (from !== to) studio.moveGesture([to]);
  studio.endGesture();
}

function place({ x, y }, { width, height }) {
  return `left: ${(x / width) * 100}%; top: ${(y / height) * 100}%;`;
}

/** True for a moment after the value changed (not at first). */
function useRecentChange(value) {
  const [recent, setRecent] = useState(false);
  const first = useRef(true);
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return undefined;
    }
    setRecent(true);
    const timer = setTimeout(() => setRecent(false), SIZE_SHOWN_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return recent;
}
