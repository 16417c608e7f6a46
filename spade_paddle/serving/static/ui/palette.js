// The paint box: one tile for each label, with its colour, its name and its key.

import { html } from "./html.js";
import { labelName } from "./i18n.js";
import { keyOfPlace } from "./keys.js";

/** The labels in the order shown: as the service lists them, "other" at the end. */
export function paletteOrder(labels) {
  const isOther = (label) => label.name_en === "other";
  return [...labels.filter((label) => !isOther(label)), ...labels.filter(isOther)];
}

export function Palette({ studio, state, t }) {
  const labels = paletteOrder(state.labels || []);
  return html`<div class="palette" role="radiogroup" aria-label=${t("palette")} data-testid="palette">
    ${labels.map((label, place) => {
      const name = labelName(label, state.language);
      const key = keyOfPlace(place);
      return html`<label
        key=${label.id}
        class=${`paint ${isLight(label.color) ? "paint-light" : ""}`}
        style=${`--paint: ${label.color}`}
      >
        <input
          type="radio"
          name="label"
          value=${label.id}
          checked=${state.label === label.id && state.tool !== "eraser"}
          aria-label=${key ? t("label_key", { name, key }) : name}
          data-testid=${`label-${label.name_en}`}
          onChange=${() => studio.selectLabel(label.id)}
          onClick=${() => studio.selectLabel(label.id)}
        />
        <span class="paint-name" aria-hidden="true">${name}</span>
        ${key && html`<kbd class="paint-key" aria-hidden="true">${key}</kbd>`}
      </label>`;
    })}
  </div>`;
}

/** Whether black text reads better than white on a colour (WCAG luminance; then always 4.5:1). */
function isLight(color) {
  const value = Number.parseInt(color.slice(1), 16);
  const [r, g, b] = [value >> 16, (value >> 8) & 255, value & 255].map((byte) => {
    const part = byte / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179;
}
