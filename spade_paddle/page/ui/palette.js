// The paint box: one tile for each label, with its icon, its color, its name and its key, in groups.
// In children's mode ten large ones.

import { isLight } from "./color.js";
import { html } from "./html.js";
import { labelName } from "./i18n.js";
import { keyOfPlace } from "./keys.js";
import { LabelIcon } from "./label_icons.js";

// What stands together, by the groups that a label set tells.
const GROUPS = { sky: ["sky"], land: ["water", "land"], plants: ["plants"], built: ["built", "other"] };
const LABELLESS = ["eraser", "stamp"]; // Tools that leave the chosen label aside.
const RARE = 0.1; // A label on less of the doodle shows on the rest.
const FOR_KIDS = ["sky", "cloud", "mountain", "snow", "tree", "grass", "flower", "water", "sand", "building"];

/** The labels by group, in the order shown: `[{ name, labels }]`; without groups in the set, one. */
export function paletteGroups(labels) {
  const known = new Set(Object.values(GROUPS).flat());
  const groupOf = ({ group, name_en: name }) =>
    known.has(group) ? group : name === "other" ? "other" : null;
  const inGroup = (group) => labels.filter((label) => groupOf(label) === group);
  const groups = [
    { name: "", labels: inGroup(null) },
    ...Object.entries(GROUPS).map(([name, parts]) => ({ name, labels: parts.flatMap(inGroup) })),
  ];
  return groups.filter((group) => group.labels.length);
}

/** The labels in the order shown, which is that of their keys. */
export function paletteOrder(labels, { kids = false } = {}) {
  return kids ? labelsForKids(labels) : paletteGroups(labels).flatMap((group) => group.labels);
}

/** The first label that a stroke shows with on nearly all of a doodle. */
export function labelThatShows(labels, { cells }) {
  const counts = new Uint32Array(256);
  for (const id of cells) counts[id] += 1;
  return paletteOrder(labels).find(({ id }) => counts[id] < RARE * cells.length) ?? labels[0];
}

/** The few that children begin with; all of a set that has none of them. */
export function labelsForKids(labels) {
  const few = FOR_KIDS.map((name) => labels.find((label) => label.name_en === name)).filter(Boolean);
  return few.length ? few : labels.slice(0, FOR_KIDS.length);
}

export function Palette({ studio, state, t }) {
  const labels = state.labels || [];
  const order = paletteOrder(labels, state);
  const groups = state.kids ? [{ name: "", labels: order }] : paletteGroups(labels);
  return html`<div
    class=${`palette ${state.kids ? "palette-kids" : ""}`}
    role="radiogroup"
    aria-label=${t("palette")}
    data-testid="palette"
  >
    ${groups.map(
      ({ name, labels: some }) => html`<div class="paint-group" key=${name} role="presentation">
        ${name && html`<h3 class="paint-group-name" aria-hidden="true">${t(`group_${name}`)}</h3>`}
        ${some.map(
          (label) => html`<${Paint}
            key=${label.id}
            label=${label}
            shortcut=${keyOfPlace(order.indexOf(label))}
            ...${{ studio, state, t }}
          />`,
        )}
      </div>`,
    )}
  </div>`;
}

function Paint({ label, shortcut, studio, state, t }) {
  const name = labelName(label, state.language);
  return html`<label
    class=${`paint ${isLight(label.color) ? "paint-light" : ""}`}
    style=${`--paint: ${label.color}`}
  >
    <input
      type="radio"
      name="label"
      value=${label.id}
      checked=${state.label === label.id && !LABELLESS.includes(state.tool)}
      aria-label=${shortcut ? t("label_key", { name, key: shortcut }) : name}
      data-testid=${`label-${label.name_en}`}
      onChange=${() => studio.selectLabel(label.id)}
      onClick=${() => studio.selectLabel(label.id)}
    />
    <${LabelIcon} name=${label.name_en} />
    <span class="paint-name" aria-hidden="true">${name}</span>
    ${shortcut && html`<kbd class="paint-key" aria-hidden="true">${shortcut}</kbd>`}
  </label>`;
}
