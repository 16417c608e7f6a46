// What is shown above the doodle and is no part of it: the ring of the brush, the cursor of the
// keyboard, corners of a polygon, the frame of a region.

import { useEffect, useRef, useState } from "./vendor/preact-hooks.js";
import { html } from "./html.js";
import { stampSide } from "./tools/stamp.js";
import { SIZES, toolNamed } from "./tools.js";
import { onBoard } from "./zoom.js";

const SIZE_SHOWN_MS = 900;
const CORNERS = [[0, 0], [1, 0], [0, 1], [1, 1]];

export function Overlay({ state, cursor, outline, middle }) {
  const { width, height, zoom, tool, sizeIndex } = state;
  const sizeJustChanged = useRecentChange(sizeIndex);
  const place = ({ x, y }) => {
    const at = onBoard(zoom, { x: x / width, y: y / height });
    return { x: `${at.x * 100}%`, y: `${at.y * 100}%` };
  };
  const { sized } = toolNamed(tool);
  const ringAt = sized && (cursor?.point ?? (sizeJustChanged ? middle : null));
  const crossAt = !sized && cursor?.byKeys && cursor.point;
  const size = SIZES[sizeIndex];
  const across = tool === "stamp" ? stampSide({ width, height }, size) : size;
  const share = (across / width) * zoom.scale * 100;
  return html`
    ${outline && html`<${Outline} outline=${outline} place=${place} />`}
    ${crossAt && html`<span class="cross" data-testid="cross" style=${styleOf(place(crossAt))} />`}
    ${ringAt &&
    html`<span
      class=${`ring ${tool === "eraser" ? "ring-eraser" : ""}`}
      data-testid="ring"
      style=${`${styleOf(place(ringAt))} width: ${share}%`}
    />`}
  `;
}

function Outline({ outline, place }) {
  const { corners, aimed, closes, rect, marking } = outline;
  return html`<svg class="outline" aria-hidden="true" data-testid="outline">
    ${corners && html`<${Corners} places=${corners.map(place)} aimed=${aimed && place(aimed)} closes=${closes} />`}
    ${rect && html`<${Frame} rect=${rect} marking=${marking} place=${place} />`}
  </svg>`;
}

function Corners({ places, aimed, closes }) {
  const all = [...places, ...(aimed ? [aimed] : []), ...(closes ? [places[0]] : [])];
  const sides = all.slice(1).map((end, i) => [all[i], end]);
  // Dark below light: seen above every color.
  return ["outline-dark", "outline-light"].map(
    (shade) => html`<g class=${shade}>
      ${sides.map(([a, b]) => html`<line x1=${a.x} y1=${a.y} x2=${b.x} y2=${b.y} />`)}
      ${places.map(
        ({ x, y }, i) => html`<circle cx=${x} cy=${y} r=${i === 0 ? (closes ? 10 : 7) : 4} />`,
      )}
    </g>`,
  );
}

function Frame({ rect, marking, place }) {
  const [from, to] = [[0, 0], [1, 1]].map(([x, y]) => cornerOf(rect, x, y)).map(place);
  const size = (key) => `${Number.parseFloat(to[key]) - Number.parseFloat(from[key])}%`;
  const frame = { x: from.x, y: from.y, width: size("x"), height: size("y") };
  return html`
    <rect class="frame-dark" ...${frame} />
    <rect class="frame-light" ...${frame} />
    ${!marking &&
    CORNERS.map(([x, y]) => {
      const at = place(cornerOf(rect, x, y));
      return html`<circle class="handle" cx=${at.x} cy=${at.y} r="7" />`;
    })}
  `;
}

function cornerOf({ x, y, width, height }, right, lower) {
  return { x: x + right * width, y: y + lower * height };
}

function styleOf({ x, y }) {
  return `left: ${x}; top: ${y};`;
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
