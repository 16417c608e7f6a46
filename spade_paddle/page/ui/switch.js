// A switch with its name beside it.

import { html } from "./html.js";

/** `name`: for tests; `label`: the whole meaning; `short`: what stands beside it. */
export function Switch({ name, className = "", checked, label, short, onChange }) {
  return html`<label class=${`switch ${className}`} title=${label}>
    <input
      type="checkbox"
      role="switch"
      checked=${checked}
      aria-label=${label}
      data-testid=${name}
      onChange=${(event) => onChange(event.target.checked)}
    />
    <span class="track" aria-hidden="true" />
    <span class="switch-name" aria-hidden="true">${short}</span>
  </label>`;
}
