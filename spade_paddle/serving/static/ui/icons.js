// Line icons on a 24 x 24 field; they take the colour of the text around them.

import { html } from "./html.js";

const PATHS = {
  brush:
    "M20.5 3.5c-5 2.3-9 6-11.3 9.6l2.4 2.4c3.6-2.3 7-6.6 8.9-12zM8 14.4c-2.2 0-3.4 1.5-3.4 3.4 0 1-.5 1.8-1.6 2.2 3 1.2 7.6.7 7.6-3.2z",
  fill: "M10.5 3.5l8.2 8.2-6.9 6.9a2 2 0 0 1-2.8 0L3.6 13.2a2 2 0 0 1 0-2.8l6.9-6.9zM3.4 11.7h15.3M20.7 15.4s1.6 2.2 1.6 3.4a1.6 1.6 0 0 1-3.2 0c0-1.2 1.6-3.4 1.6-3.4z",
  eraser:
    "M8.6 19.6l-4.9-4.9a2 2 0 0 1 0-2.8l8.1-8.1a2 2 0 0 1 2.8 0l5.1 5.1a2 2 0 0 1 0 2.8l-7.9 7.9M8 7.7l7.9 7.9M8.6 19.6H20.5",
  line: "M5 19L19 5",
  rectangle: "M5 6h14a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1z",
  ellipse: "M12 5.5c5 0 8.7 2.8 8.7 6.5s-3.7 6.5-8.7 6.5S3.3 15.7 3.3 12 7 5.5 12 5.5z",
  polygon: "M12.3 3.8l8.2 6.4-3.3 9.8H8.3L3.5 9z",
  eyedropper:
    "M13.3 7.2l3.5 3.5M11.6 5.5l6.9 6.9M14.4 8.3l2.5-3.2a2.2 2.2 0 0 1 3.1 3.1l-3.3 2.4M13.2 7.5l-8 8c-.8.8-.5 2.2-1.5 3.5l1.3 1.3c1.3-1 2.7-.7 3.5-1.5l8-8",
  move: "M12 3.5v17M3.5 12h17M9.5 6L12 3.5 14.5 6M9.5 18l2.5 2.5 2.5-2.5M6 9.5L3.5 12 6 14.5M18 9.5l2.5 2.5-2.5 2.5",
  zoom_in: "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.3 15.3L20.5 20.5M10.5 7.7v5.6M7.7 10.5h5.6",
  zoom_out: "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.3 15.3L20.5 20.5M7.7 10.5h5.6",
  undo: "M8.2 4.8L4 9l4.2 4.2M4 9h9.8a5.6 5.6 0 0 1 0 11.2h-3.3",
  redo: "M15.8 4.8L20 9l-4.2 4.2M20 9h-9.8a5.6 5.6 0 0 0 0 11.2h3.3",
  clear: "M4 6.8h16M9 6.8V4h6v2.8M6.2 6.8l1 13.2h9.6l1-13.2M10 10.6v5.6M14 10.6v5.6",
  download: "M12 3.8v11.4M7.2 10.6l4.8 4.8 4.8-4.8M4.5 20.2h15",
  spark: "M12 3l2 7 7 2-7 2-2 7-2-7-7-2 7-2z",
  keyboard:
    "M4.5 6h15A1.5 1.5 0 0 1 21 7.5v9a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 16.500v-9A1.5 1.5 0 0 1 4.5 6zM6.8 9.7h.01M10.3 9.7h.01M13.7 9.7h.01M17.2 9.7h.01M8 14.3h8",
  close: "M6 6l12 12M18 6L6 18",
};

export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <path d=${PATHS[name]} />
  </svg>`;
}

/** The sign of the page: hills under a low sun, the same as the favicon. */
export function Sign() {
  return html`<svg class="sign" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <clipPath id="sign-clip"><rect width="32" height="32" rx="9" /></clipPath>
    <g clip-path="url(#sign-clip)">
      <path fill="#f4d9b0" d="M0 0h32v32H0z" />
      <circle cx="22" cy="10" r="4.5" fill="#e8734a" />
      <path fill="#7fa99b" d="M0 21 9 10l8 10 4-4 11 11v5H0z" />
      <path fill="#1f6f5c" d="M0 25c7-4 12-3 17-1s10 2 15-1v9H0z" />
    </g>
  </svg>`;
}
