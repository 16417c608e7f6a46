// Under the picture: generate, dice, lock, edges, generate while drawing, and the styles.

import { html } from "./html.js";
import { Icon } from "./icons.js";
import { AUTO } from "./looks.js";
import { FileButton } from "./open_file.js";
import { Switch } from "./switch.js";

const KNOWN_STYLES = ["bright", "clear", "mist", "sunset", "autumn", "winter"];

export function LookControls({ studio, state, t }) {
  const hasStyles = state.styles.length > 0 || state.stylePhoto;
  return html`<div class="actions">
      <button
        type="button"
        class=${`primary ${state.stale ? "" : "is-fresh"}`}
        disabled=${!state.labels}
        title=${`${t("generate")} (Enter)`}
        data-testid="generate"
        onClick=${() => studio.generate()}
      >
        <${Icon} name="spark" />${t("generate")}
      </button>
      <${LookButtons} ...${{ studio, state, t }} />
      ${!state.kids &&
      html`<${Switch}
        name="live"
        checked=${state.live}
        label=${t("live_long")}
        short=${t("live")}
        onChange=${(live) => studio.setLive(live)}
      />`}
    </div>
    ${hasStyles && html`<${Styles} ...${{ studio, state, t }} />`}`;
}

function LookButtons({ studio, state, t }) {
  const { canVary, hasNaturalEdges, kids, keepLook, naturalEdges } = state;
  return html`<span class="dice">
    ${canVary &&
    html`<button
      type="button"
      class="icon-button"
      aria-label=${t("dice")}
      title=${`${t("dice")} (D)`}
      aria-keyshortcuts="D"
      data-testid="dice"
      onClick=${() => studio.looks.roll()}
    ><${Icon} name="dice" /></button>`}
    ${!kids &&
    canVary &&
    html`<${Toggle}
      name="keep-look"
      icon=${keepLook ? "lock" : "unlock"}
      label=${t("keep_look")}
      isOn=${keepLook}
      onClick=${() => studio.looks.setKeep(!keepLook)}
    />`}
    ${!kids &&
    hasNaturalEdges &&
    html`<${Toggle}
      name="natural-edges"
      icon="natural_edges"
      label=${t("natural_edges")}
      isOn=${naturalEdges}
      onClick=${() => studio.looks.setNaturalEdges(!naturalEdges)}
    />`}
  </span>`;
}

function Toggle({ name, icon, label, isOn, onClick }) {
  return html`<button
    type="button"
    class="icon-button"
    aria-pressed=${isOn}
    aria-label=${label}
    title=${label}
    data-testid=${name}
    onClick=${onClick}
  ><${Icon} name=${icon} /></button>`;
}

function Styles({ studio, state, t }) {
  const { style, styles, stylePhoto } = state;
  const isChosen = (chip) => chip.kind === style.kind && chip.name === style.name;
  const radio = (chip) => {
    const key = chip.name ?? "auto";
    return html`<label class="chip" key=${key}>
      <input
        type="radio"
        name="style"
        checked=${isChosen(chip)}
        data-testid=${`style-${key}`}
        onClick=${() => studio.looks.choose(chip)}
      />
      <span>${styleName(chip, t)}</span>
    </label>`;
  };
  // The photo's light may come by itself, with its doodle: it and the way out of it, Auto, must be seen.
  return html`<div class="styles" role="radiogroup" aria-label=${t("style")} data-testid="styles">
    ${radio(AUTO)}
    ${stylePhoto &&
    html`<${FileButton}
      accept="image/*"
      name="style-photo"
      className=${`chip chip-photo ${style.kind === "photo" ? "is-chosen" : ""}`}
      label=${t("style_photo_long")}
      onFile=${(file) => studio.looks.choosePhoto(file)}
    >
      ${style.kind === "photo" ? html`<img src=${style.url} alt="" />` : html`<${Icon} name="photo" />`}
      <span>${style.ofDoodle ? t("style_photo_own") : t("style_photo")}</span>
    <//>`}
    ${styles.map((name) => radio({ kind: "named", name }))}
  </div>`;
}

function styleName({ kind, name }, t) {
  if (kind === "auto") return t("style_auto");
  return KNOWN_STYLES.includes(name) ? t(`style_${name}`) : name;
}
