// What went wrong, in the person's language, and the way on.

import { useState } from "./vendor/preact-hooks.js";
import { html } from "./html.js";
import { problemSentence } from "./i18n.js";
import { Icon } from "./icons.js";

// These pass by themselves, or only another doodle or file helps.
const NOTHING_TO_RETRY = ["nothing_painted", "starting", "busy", "not_a_doodle", "doodle_broken",
  "photo_unreadable", "photo_light_only", "share_failed"];

export function ProblemNote({ studio, state, t }) {
  const { problem, language } = state;
  const takeLight = () => {
    studio.dismissProblem();
    studio.looks.choose(problem.details.style);
  };
  return html`<div class="note" data-testid="problem" data-code=${problem.code}>
    <p>${problemSentence(problem, language)}</p>
    ${problem.code === "unauthorized" && html`<${TokenField} studio=${studio} t=${t} />`}
    <div class="note-actions">
      ${problem.code === "photo_light_only" &&
      html`<button type="button" class="quiet" data-testid="take-light" onClick=${takeLight}>
        ${t("take_light")}
      </button>`}
      ${![...NOTHING_TO_RETRY, "unauthorized"].includes(problem.code) &&
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

function TokenField({ studio, t }) {
  const [token, setToken] = useState("");
  const send = (event) => {
    event.preventDefault();
    studio.setToken(token.trim());
  };
  return html`<form class="token" onSubmit=${send}>
    <input
      type="password"
      autocomplete="off"
      aria-label=${t("token")}
      placeholder=${t("token")}
      value=${token}
      data-testid="token"
      onInput=${(event) => setToken(event.target.value)}
    />
    <button class="quiet" data-testid="token-send">${t("token_send")}</button>
  </form>`;
}
