// The tools beside the doodle; size and zoom under it; undo, redo and clear above it.

import { html } from "./html.js";
import { Icon } from "./icons.js";
import { SIZES, toolNamed, toolsFor } from "./tools.js";
import { MAX_SCALE, STEP, percentOf } from "./zoom.js";

const GROUPS = ["free", "shapes", "areas"];

export function Tools({ studio, state, t }) {
  const offered = toolsFor(state);
  return html`<div class="tools" data-testid="tools">
    ${state.kids &&
    html`<${StepButton}
      name="undo"
      className="undo-large"
      possible=${state.canUndo}
      title=${`${t("undo")} (Ctrl+Z)`}
      label=${t("undo")}
      onClick=${() => studio.drawing.undo()}
    />`}
    <div class="tool-choices" role="radiogroup" aria-label=${t("tools")}>
      ${GROUPS.filter((group) => offered.some((tool) => tool.group === group)).map(
        (group) => html`<div class="tool-group" role="presentation">
          ${offered.filter((tool) => tool.group === group).map(
            ({ name, key }) => html`<label key=${name} class="tool" title=${`${t(name)} (${key})`}>
              <input
                type="radio"
                name="tool"
                value=${name}
                checked=${state.tool === name}
                aria-label=${t(name)}
                aria-keyshortcuts=${key}
                data-testid=${`tool-${name}`}
                onChange=${() => studio.drawing.selectTool(name)}
              />
              <${Icon} name=${name} />
              <span class="tool-name" aria-hidden="true">${t(name)}</span>
            </label>`,
          )}
        </div>`,
      )}
    </div>
    <div class="tool-group">
      <button
        type="button"
        class="tool"
        disabled=${!state.labels}
        aria-label=${t("fill_rest_long")}
        title=${t("fill_rest_long")}
        data-testid="fill_rest"
        onClick=${() => studio.drawing.fillRest()}
      >
        <${Icon} name="fill_rest" />
        <span class="tool-name" aria-hidden="true">${t("fill_rest")}</span>
      </button>
    </div>
  </div>`;
}

export function Toolbar({ studio, state, t }) {
  return html`<div class="toolbar">
    <${SizeSlider} studio=${studio} state=${state} t=${t} />
    ${!state.kids && html`<${ZoomButtons} studio=${studio} state=${state} t=${t} />`}
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
      disabled=${!toolNamed(state.tool).sized}
      aria-label=${t("size")}
      aria-valuetext=${t("size_value", { size: SIZES[sizeIndex] })}
      data-testid="size"
      onInput=${(event) => studio.selectSize(Number(event.target.value))}
    />
    <span class="dot dot-large" aria-hidden="true" />
  </label>`;
}

function ZoomButtons({ studio, state, t }) {
  const { scale } = state.zoom;
  const percent = percentOf(state.zoom);
  return html`<div class="zoom" role="group" aria-label=${t("zoom")}>
    <${StepButton}
      name="zoom_out"
      possible=${scale > 1}
      title=${`${t("zoom_out")} (-)`}
      label=${t("zoom_out")}
      onClick=${() => studio.zoom.step(1 / STEP)}
    />
    <button
      type="button"
      class="zoom-whole"
      disabled=${scale === 1}
      title=${`${t("zoom_whole")} (W)`}
      aria-label=${`${percent} %, ${t("zoom_whole")}`}
      data-testid="zoom_whole"
      onClick=${() => studio.zoom.step()}
    >
      ${percent} %
    </button>
    <${StepButton}
      name="zoom_in"
      possible=${scale < MAX_SCALE}
      title=${`${t("zoom_in")} (+)`}
      label=${t("zoom_in")}
      onClick=${() => studio.zoom.step(STEP)}
    />
  </div>`;
}

export function Steps({ studio, state, t }) {
  const steps = [
    ["undo", state.canUndo, "Ctrl+Z"],
    ["redo", state.canRedo, "Ctrl+Shift+Z"],
    ["clear", Boolean(state.labels), ""],
  ];
  return html`<div class="steps">
    ${steps.filter(([step]) => !state.kids || step !== "undo").map(
      ([step, possible, key]) => html`<${StepButton}
        name=${step}
        possible=${possible}
        title=${key ? `${t(step)} (${key})` : t(step)}
        label=${t(step)}
        onClick=${() => studio.drawing[step]()}
      />`,
    )}
  </div>`;
}

function StepButton({ name, possible, title, label, onClick, className = "" }) {
  return html`<button
    type="button"
    class=${`icon-button ${className}`}
    disabled=${!possible}
    aria-label=${label}
    title=${title}
    data-testid=${name}
    onClick=${onClick}
  >
    <${Icon} name=${name} />
  </button>`;
}
