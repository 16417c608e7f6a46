// One idea of what to paint at a time, a button for another, and one for the light that it tells of.

import { useState } from "./vendor/preact-hooks.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { ideasFor } from "./ideas.js";

export function IdeaCard({ studio, state, t }) {
  const [turn, setTurn] = useState(0);
  const ideas = state.kids && state.labels ? ideasFor(state.labels) : [];
  if (!ideas.length) return null;
  const { name, style } = ideas[turn % ideas.length];
  const isChosen = state.style.kind === "named" && state.style.name === style;
  return html`<section class="idea" aria-label=${t("idea")} data-testid="idea">
    <${Icon} name="idea" />
    <p aria-live="polite" data-testid="idea-text" data-name=${name}>${t(`idea_${name}`)}</p>
    <div class="idea-buttons">
      ${style &&
      state.styles.includes(style) &&
      html`<button
        type="button"
        class="quiet"
        aria-pressed=${isChosen}
        data-testid="idea-light"
        onClick=${() => isChosen || studio.looks.choose({ kind: "named", name: style })}
      >
        ${t("idea_light", { style: t(`style_${style}`) })}
      </button>`}
      <button
        type="button"
        class="quiet"
        data-testid="idea-other"
        onClick=${() => setTurn(turn + 1)}
      >
        <${Icon} name="another" />${t("idea_other")}
      </button>
    </div>
  </section>`;
}
