// Asks before doodles go to a service that only a link has named.

import { html } from "./html.js";
import { useModal } from "./viewer.js";

export function ServiceQuestion({ studio, state, t }) {
  const dialog = useModal();
  const { unknownService } = state;
  const answer = (allowed) => studio.answerAbout(unknownService, { allowed });
  return html`<dialog
    ref=${dialog}
    aria-label=${t("unknown_service")}
    data-testid="unknown-service"
    onCancel=${() => answer(false)}
  >
    <h2>${t("unknown_service")}</h2>
    <p class="question">${t("unknown_service_long", { api: unknownService })}</p>
    <div class="note-actions">
      <button class="quiet" data-testid="stay" autofocus onClick=${() => answer(false)}>
        ${t("unknown_service_stay")}
      </button>
      <button class="quiet" data-testid="allow" onClick=${() => answer(true)}>
        ${t("unknown_service_allow")}
      </button>
    </div>
  </dialog>`;
}
