// What a screen reader hears about drawing. The store's `said` is `{ key, values }`, a sentence of
// the dictionary; a value `label` (an id) or `stamp` (its name) becomes what people call it.

import { html } from "./html.js";
import { labelName } from "./i18n.js";

export function Said({ state, t }) {
  return html`<p class="heard" role="status" aria-live="polite" data-testid="said">
    ${saidSentence(state, t)}
  </p>`;
}

export function saidSentence({ said, labels, language }, t) {
  if (!said) return "";
  const { key, values } = said;
  if ("stamp" in values) return t(key, { ...values, name: t(`stamp_${values.stamp}`) });
  if (!("label" in values)) return t(key, values);
  const label = (labels || []).find(({ id }) => id === values.label);
  return t(key, { ...values, name: label ? labelName(label, language) : t("paper") });
}
