// Which stamp, under the doodle while the tool is chosen.

import { html } from "./html.js";
import { LabelIcon } from "./label_icons.js";
import { chosenStamp, stampsFor } from "./stamps.js";

export function StampChoice({ studio, state, t }) {
  const offered = state.tool === "stamp" ? stampsFor(state.labels) : [];
  if (!offered.length) return null;
  const chosen = chosenStamp(state).name;
  return html`<div class="stamps" role="radiogroup" aria-label=${t("stamps")} data-testid="stamps">
    ${offered.map(
      ({ name, icon }) => html`<label key=${name} class="tool" title=${t(`stamp_${name}`)}>
        <input
          type="radio"
          name="stamp"
          value=${name}
          checked=${name === chosen}
          aria-label=${t(`stamp_${name}`)}
          data-testid=${`stamp-${name}`}
          onChange=${() => studio.drawing.selectStamp(name)}
        />
        <${LabelIcon} name=${icon} />
        <span class="tool-name" aria-hidden="true">${t(`stamp_${name}`)}</span>
      </label>`,
    )}
  </div>`;
}
