// The painted picture, what is happening to it, and what one can do with it.

import { useState } from "./vendor/preact-hooks.js";
import { Compare } from "./compare.js";
import { html } from "./html.js";
import { problemSentence } from "./i18n.js";
import { Icon } from "./icons.js";
import { LookControls } from "./look_controls.js";
import { Menu } from "./menu.js";
import { ProblemNote } from "./problem_note.js";
import { ShareMenu } from "./share_parts.js";
import { Viewer } from "./viewer.js";

export function PicturePanel({ studio, state, t }) {
  const { picture, previous, slow, problem, compare } = state;
  const [large, setLarge] = useState(false);
  const ratio = `--ratio: ${state.width || 1} / ${state.height || 1}`;
  return html`<section class="panel panel-picture" aria-label=${t("picture")}>
    <header class="caption">
      <h2>${t("picture")}</h2>
      <span class="milliseconds" data-testid="milliseconds">
        ${picture ? t("milliseconds", { ms: picture.milliseconds }) : ""}
      </span>
      <${PictureTools} ...${{ studio, state, t }} />
    </header>
    <div
      class=${`board frame ${slow ? "is-painting" : ""}`}
      style=${ratio}
      aria-busy=${isOnItsWay(state)}
      data-testid="frame"
    >
      ${!picture && html`<${Waiting} t=${t} slow=${slow} />`}
      ${previous && html`<img key=${previous.url} class="shown" src=${previous.url} alt="" />`}
      ${picture &&
      html`<img
        key=${picture.url}
        class="shown arriving"
        src=${picture.url}
        alt=${t("picture_alt")}
        data-testid="picture"
      />`}
      ${picture && html`<${EnlargeButton} t=${t} onClick=${() => setLarge(true)} />`}
      ${picture && compare && html`<${Compare} ...${{ picture, t }} labels=${state.labels} />`}
      ${slow && html`<span class="progress" data-testid="progress"><span /></span>`}
      ${problem && html`<${ProblemNote} ...${{ studio, state, t }} />`}
    </div>
    <${LookControls} ...${{ studio, state, t }} />
    ${picture &&
    large &&
    html`<${Viewer}
      name="enlarged"
      url=${picture.url}
      alt=${t("picture_alt")}
      t=${t}
      onClose=${() => setLarge(false)}
    />`}
  </section>`;
}

/** Lies over the picture, which is so a button. */
function EnlargeButton({ t, onClick }) {
  return html`<button
    type="button"
    class="enlarge"
    aria-label=${t("enlarge")}
    title=${t("enlarge")}
    data-testid="enlarge"
    onClick=${onClick}
  ><${Icon} name="larger" /></button>`;
}

/** Whether another picture will take the place of this one without anybody asking. */
function isOnItsWay({ painting, stale, live, service }) {
  return painting || (stale && live && service === "ready");
}

function Waiting({ t, slow }) {
  return html`<div class="waiting">
    <svg viewBox="0 0 120 80" aria-hidden="true">
      <circle cx="84" cy="22" r="9" />
      <path d="M6 62 36 24l20 26 12-13 30 25" />
      <path d="M14 72h92" />
    </svg>
    <p>${slow ? t("painting") : t("picture_waiting")}</p>
    ${!slow && html`<p class="faint">${t("picture_waiting_hint")}</p>`}
  </div>`;
}

function PictureTools({ studio, state, t }) {
  const { files } = studio;
  const { picture, compare } = state;
  const items = () => {
    const own = { name: "download", icon: "download", label: t("download"), action: () => files.savePicture() };
    if (picture.isLarge) return [own];
    const label = t("download_large");
    return [own, { name: "download-2x", icon: "larger", label, action: () => files.savePictureLarge() }];
  };
  return html`<button
      type="button"
      class="icon-button"
      disabled=${!picture}
      aria-pressed=${compare}
      aria-label=${t("compare")}
      title=${t("compare")}
      data-testid="compare-toggle"
      onClick=${() => studio.setCompare(!compare)}
    ><${Icon} name="compare" /></button>
    <${Menu} name="save-picture" icon="download" label=${t("save_picture")} disabled=${!picture} items=${items} />
    <${ShareMenu} ...${{ studio, state, t }} />`;
}

/** What a screen reader hears: one sentence on how things stand. */
export function statusSentence(state, t) {
  if (state.problem) return problemSentence(state.problem, state.language);
  if (state.annotating) return t("annotating");
  if (state.slow) return t("painting");
  if (state.picture) return t("painted", { ms: state.picture.milliseconds });
  return t(`service_${state.service}`);
}
