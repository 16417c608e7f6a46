// A small line drawing for what a label or a stamp means, on a 24 x 24 field; a round dot where we have none.

import { html } from "./html.js";

const PATHS = {
  sky: "M12 7.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M19 5l-1.4 1.4M6.4 17.6 5 19",
  cloud: "M7.5 18.5a4.5 4.5 0 1 1 .8-8.93 5.5 5.5 0 0 1 10.5 1.73A3.7 3.7 0 0 1 18 18.5z",
  water: "M3 8.5c2-1.7 4-1.7 6 0s4 1.7 6 0 4-1.7 6 0M3 13c2-1.7 4-1.7 6 0s4 1.7 6 0 4-1.7 6 0M3 17.5c2-1.7 4-1.7 6 0s4 1.7 6 0 4-1.7 6 0",
  mountain: "M2.5 19 9 6.5l4 7 2.5-4L21.5 19zM6.8 10.8l2.2 1.7 2-1.4",
  snow: "M12 3v18M4.2 7.5l15.6 9M19.8 7.5l-15.6 9M9.5 4.5 12 6.5l2.5-2M9.5 19.5l2.5-2 2.5 2",
  sand: "M2.5 17c4-6 8-7.5 11-3.5 2.5-2.5 5.5-1.5 8 3.5M6 20h.01M11 19h.01M16 20.5h.01M9 16.5h.01",
  rock: "M4 18.5 6 11l5-4.5 6 2 3.5 5.5-1.5 4.5zM6 11l5 2.5 6-5M11 13.5l-1 5",
  earth: "M3 9h18M3 14h18M3 19h18M7 9v5M15 9v5M11 14v5M18 14v5",
  tree: "M12 21v-6M12 3 6.5 10h3L5 15.5h14L14.5 10h3z",
  grass: "M12 20c0-6-1-9-3.5-12M12 20c0-5 1.5-9 5-11.5M12 20c-.5-4-3-7-7-8M12 20c1-3 3.5-5 7-5.5M4 20.5h16",
  flower: "M12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM12 9.5c-2.5-6 2.5-6 0 0zM12 14.5c2.5 6-2.5 6 0 0zM14.5 12c6-2.5 6 2.5 0 0zM9.5 12c-6-2.5-6 2.5 0 0z",
  building: "M4.5 20.5v-10L12 4.5l7.5 6v10zM10 20.5v-6h4v6",
  island: "M3 19.5c2-1.5 4-1.5 6 0s4 1.5 6 0 4-1.5 6 0M5 16c2.5-3.4 11.5-3.4 14 0M11 13.4c0-3 .5-5 1.5-7M12.5 6.4C10.5 4 7.5 4.3 6 7M12.5 6.4c2.5-2.2 5.5-1.6 6.5 1.2M12.5 6.4C10 7 9 8.6 9 10.4M12.5 6.4c2.3.8 3 2.200 3 4",
  other: "M9.2 9a3 3 0 1 1 4.3 2.7c-1 .5-1.5 1.1-1.5 2.3M12 17.5h.01",
};

export function LabelIcon({ name }) {
  return html`<svg class="icon label-icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    ${name in PATHS ? html`<path d=${PATHS[name]} />` : html`<circle cx="12" cy="12" r="5" />`}
  </svg>`;
}
