// Line icons on a 24 x 24 field; they take the colour of the text around them.

import { html } from "./html.js";

const PATHS = {
  brush:
    "M20.5 3.5c-5 2.3-9 6-11.3 9.6l2.4 2.4c3.6-2.3 7-6.6 8.9-12zM8 14.4c-2.2 0-3.4 1.5-3.4 3.4 0 1-.5 1.8-1.6 2.2 3 1.2 7.6.7 7.6-3.2z",
  fill: "M10.5 3.5l8.2 8.2-6.9 6.9a2 2 0 0 1-2.8 0L3.6 13.2a2 2 0 0 1 0-2.8l6.9-6.9zM3.4 11.7h15.3M20.7 15.4s1.6 2.2 1.6 3.4a1.6 1.6 0 0 1-3.2 0c0-1.2 1.6-3.4 1.6-3.4z",
  eraser:
    "M8.6 19.6l-4.9-4.9a2 2 0 0 1 0-2.8l8.1-8.1a2 2 0 0 1 2.8 0l5.1 5.1a2 2 0 0 1 0 2.8l-7.9 7.9M8 7.7l7.9 7.9M8.6 19.6H20.5",
  undo: "M8.2 4.8L4 9l4.2 4.2M4 9h9.8a5.6 5.6 0 0 1 0 11.2h-3.3",
  redo: "M15.8 4.8L20 9l-4.2 4.2M20 9h-9.8a5.6 5.6 0 0 0 0 11.2h3.3",
  clear: "M4 6.8h16M9 6.8V4h6v2.8M6.2 6.8l1 13.2h9.6l1-13.2M10 10.6v5.6M14 10.6v5.6",
  download: "M12 3.8v11.4M7.2 10.6l4.8 4.8 4.8-4.8M4.5 20.2h15",
  spark: "M12 3l2 7 7 2-7 2-2 7-2-7-7-2 7-2z",
  keyboard:
    "M4.5 6h15A1.5 1.5 0 0 1 21 7.5v9a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 16.5v-9A1.5 1.5 0 0 1 4.5 6zM6.8 9.7h.01M10.3 9.7h.01M13.7 9.7h.01M17.2 9.7h.01M8 14.3h8",
  open: "M3.5 18.5v-13h6l2 2.5h9v10.5zM3.5 11h17",
  save: "M5 3.8h11.5L20.2 7.5v12.7H3.8V5A1.2 1.2 0 0 1 5 3.8zM8 3.8v5h7.5v-5M7.5 20v-6.5h9V20",
  photo: "M4.5 6.5h3l1.5-2.5h6l1.5 2.5h3a1.5 1.5 0 0 1 1.5 1.5v10a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 18V8a1.5 1.5 0 0 1 1.5-1.5zM12 9.2a3.8 3.8 0 1 0 0 7.6 3.8 3.8 0 0 0 0-7.6z",
  dice: "M6 3.5h12A2.5 2.5 0 0 1 20.5 6v12a2.5 2.5 0 0 1-2.5 2.5H6A2.5 2.5 0 0 1 3.5 18V6A2.5 2.5 0 0 1 6 3.5zM8.2 8.2h.01M15.8 8.2h.01M12 12h.01M8.2 15.8h.01M15.8 15.8h.01",
  lock: "M6.5 10.5h11A1.5 1.5 0 0 1 19 12v7a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 5 19v-7a1.5 1.5 0 0 1 1.5-1.5zM8 10.5V8a4 4 0 0 1 8 0v2.5",
  unlock: "M6.5 10.5h11A1.5 1.5 0 0 1 19 12v7a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 5 19v-7a1.5 1.5 0 0 1 1.5-1.5zM8 10.5V7a4 4 0 0 1 7.6-1.7",
  compare: "M12 3v18M4.5 5.5h5v13h-5zM14.5 5.5h5v13h-5zM14.5 15l5-5",
  larger: "M9 20.5H3.5V15M15 3.5h5.5V9M3.5 20.5l7-7M20.5 3.5l-7 7",
  share: "M12 15V3.8M7.5 8 12 3.8 16.5 8M5 12v7a1.5 1.5 0 0 0 1.5 1.5h11A1.5 1.5 0 0 0 19 19v-7",
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
