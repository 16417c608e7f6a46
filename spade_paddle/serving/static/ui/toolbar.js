// Tools and brush size under the doodle; undo, redo and clear above it.

import { html } from "./html.js";
import { Icon } from "./icons.js";
import { SIZES } from "./studio.js";

const TOOLS = [
  ["brush", "B"],
  ["fill", "F"],
  ["eraser", "E"],
];

export function Toolbar({ studio, state, t }) {
  return html`<div class="toolbar">
    <div class="tools" role="radiogroup" aria-label=${t("tools")}>
      ${TOOLS.map(
        ([tool, key]) => html`<label class="tool" title=${`${t(tool)} (${key})`}>
          <input
            type="radio"
            name="tool"
            value=${tool}
            checked=${state.tool === tool}
            aria-label=${t(tool)}
            aria-keyshortcuts=${key}
            data-testid=${`tool-${tool}`}
            onChange=${() => studio.selectTool(tool)}
          />
          <${Icon} name=${tool} />
          <span class="tool-name" aria-hidden="true">${t(tool)}</span>
        </label>`,
      )}
    </div>
    <${SizeSlider} studio=${studio} state=${state} t=${t} />
  </div>`;
}

function SizeSlider({ studio, state, t }) {
  const { sizeIndex } = state;
  const share = (sizeIndex / (SIZES.length - 1)) * 100;
  return html`<label class="size" title=${`${t("size")} ([ ])`}>
    <span class="dot dot-small" aria-hidden="true" />
    <input
      type="range"
      min="0"
      max=${SIZES.length - 1}
      step="1"
      value=${sizeIndex}
      style=${`--share: ${share}%`}
      disabled=${state.tool === "fill"}
      aria-label=${t("size")}
      aria-valuetext=${t("size_value", { size: SIZES[sizeIndex] })}
      data-testid="size"
      onInput=${(event) => studio.selectSize(Number(event.target.value))}
    />
    <span class="dot dot-large" aria-hidden="true" />
  </label>`;
}

export function Steps({ studio, state, t }) {
  const steps = [
    ["undo", state.canUndo, "Ctrl+Z"],
    ["redo", state.canRedo, "Ctrl+Shift+Z"],
    ["clear", Boolean(state.labels), ""],
  ];
  return html`<div class="steps">
    ${steps.map(
      ([step, possible, key]) => html`<button
        type="button"
        class="icon-button"
        disabled=${!possible}
        aria-label=${t(step)}
        title=${key ? `${t(step)} (${key})` : t(step)}
        data-testid=${step}
        onClick=${() => studio[step]()}
      >
        <${Icon} name=${step} />
      </button>`,
    )}
  </div>`;
}
