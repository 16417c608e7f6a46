// The doodle laid over the left part of the picture it became; a slider moves the border.

import { useEffect, useRef, useState } from "./vendor/preact-hooks.js";
import { wholeRect } from "./grid.js";
import { html } from "./html.js";
import { GridView } from "./view.js";

export function Compare({ picture, labels, t }) {
  const canvas = useRef(null);
  const [share, setShare] = useState(50);
  useEffect(() => {
    new GridView(canvas.current, picture.grid, labels).draw(wholeRect(picture.grid));
  }, [picture, labels]);
  return html`<div class="compare" style=${`--share: ${share}%`} data-testid="compare">
    <canvas ref=${canvas} aria-hidden="true" />
    <span class="compare-line" aria-hidden="true" />
    <input
      type="range"
      min="0"
      max="100"
      value=${share}
      aria-label=${t("compare_share")}
      data-testid="compare-share"
      onInput=${(event) => setShare(Number(event.target.value))}
    />
  </div>`;
}
