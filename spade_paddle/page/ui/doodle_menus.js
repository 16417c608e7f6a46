// Opening a doodle and saving it.

import { html } from "./html.js";
import { Icon } from "./icons.js";
import { Menu } from "./menu.js";
import { FileButton } from "./open_file.js";

export function DoodleMenus({ studio, state, t }) {
  const { files } = studio;
  const items = () => [
    { name: "save-png", icon: "download", label: t("save_png"), action: () => files.saveDoodlePng() },
    { name: "save-json", icon: "download", label: t("save_json"), action: () => files.saveDoodleJson() },
  ];
  return html`<div class="steps">
    <${FileButton}
      accept="image/*,.json,application/json"
      name="open"
      className="icon-button"
      label=${t("open")}
      onFile=${(file) => files.open(file)}
    ><${Icon} name="open" /><//>
    <${Menu} name="save" icon="save" label=${t("save")} disabled=${!state.labels} items=${items} />
  </div>`;
}
