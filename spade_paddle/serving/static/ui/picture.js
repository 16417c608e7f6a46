// The painted picture, what is happening to it, and what went wrong.

import { html } from "./html.js";
import { problemSentence } from "./i18n.js";
import { Icon } from "./icons.js";

export function PicturePanel({ studio, state, t }) {
  const { picture, previous, slow, problem } = state;
  return html`<section class="panel panel-picture" aria-label=${t("picture")}>
    <header class="caption">
      <h2>${t("picture")}</h2>
      <span class="milliseconds" data-testid="milliseconds">
        ${picture ? t("milliseconds", { ms: picture.milliseconds }) : ""}
      </span>
      <${Download} picture=${picture} t=${t} />
    </header>
    <div class="board frame ${slow ? "is-painting" : ""}" style=${`--ratio: ${state.width || 1} / ${state.height || 1}`}>
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
      ${slow && html`<span class="progress" data-testid="progress"><span /></span>`}
      ${problem && html`<${ProblemNote} studio=${studio} state=${state} t=${t} />`}
    </div>
    <${Actions} studio=${studio} state=${state} t=${t} />
  </section>`;
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

function Download({ picture, t }) {
  const name = `landscape-${new Date().toISOString().slice(0, 19).replace(/[T:]/g, "-")}`;
  if (!picture) {
    return html`<button
      type="button"
      class="icon-button"
      disabled
      aria-label=${t("download")}
      data-testid="download"
    ><${Icon} name="download" /></button>`;
  }
  return html`<a
    class="icon-button"
    href=${picture.url}
    download=${`${name}.${picture.format === "jpeg" ? "jpg" : "png"}`}
    aria-label=${t("download")}
    title=${t("download")}
    data-testid="download"
  ><${Icon} name="download" /></a>`;
}

function ProblemNote({ studio, state, t }) {
  const { problem, language } = state;
  const canRetry = !["nothing_painted", "starting", "busy"].includes(problem.code);
  return html`<div class="note" data-testid="problem" data-code=${problem.code}>
    <p>${problemSentence(problem, language)}</p>
    <div class="note-actions">
      ${canRetry &&
      html`<button type="button" class="quiet" data-testid="retry" onClick=${() => studio.retry()}>
        ${t("retry")}
      </button>`}
      <button
        type="button"
        class="icon-button"
        aria-label=${t("dismiss")}
        data-testid="dismiss"
        onClick=${() => studio.dismissProblem()}
      ><${Icon} name="close" /></button>
    </div>
  </div>`;
}

function Actions({ studio, state, t }) {
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
    <label class="switch" title=${t("live_long")}>
      <input
        type="checkbox"
        role="switch"
        checked=${state.live}
        aria-label=${t("live_long")}
        data-testid="live"
        onChange=${(event) => studio.setLive(event.target.checked)}
      />
      <span class="track" aria-hidden="true" />
      <span aria-hidden="true">${t("live")}</span>
    </label>
  </div>`;
}

/** What a screen reader hears: one sentence on how things stand. */
export function statusSentence(state, t) {
  if (state.problem) return problemSentence(state.problem, state.language);
  if (state.slow) return t("painting");
  if (state.picture) return t("painted", { ms: state.picture.milliseconds });
  return t(`service_${state.service}`);
}
