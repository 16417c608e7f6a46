// Title, the state of the service, keyboard help and the language switch.

import { useLayoutEffect, useRef } from "./vendor/preact-hooks.js";
import { html } from "./html.js";
import { Icon, Sign } from "./icons.js";
import { Switch } from "./switch.js";
import { TOOLS } from "./tools.js";

export function Header({ studio, state, t }) {
  const other = state.language === "zh" ? "en" : "zh";
  return html`<header class="top">
    <${Sign} />
    <div class="title">
      <h1>${t("title")}</h1>
      <p>${t("tagline")}</p>
    </div>
    <span class=${`service service-${state.service}`} data-testid="service" data-state=${state.service}>
      ${t(`service_${state.service}`)}
    </span>
    <${Switch}
      name="kids"
      className="kids"
      checked=${state.kids}
      label=${t("kids_long")}
      short=${t("kids")}
      onChange=${(kids) => studio.setKids(kids)}
    />
    <${KeyboardHelp} ...${{ studio, state, t }} />
    <button
      type="button"
      class="quiet language"
      lang=${other}
      aria-label=${t("switch_language")}
      title=${t("switch_language")}
      data-testid="language"
      onClick=${() => studio.setLanguage(other)}
    >
      ${t("other_language")}
    </button>
  </header>`;
}

function KeyboardHelp({ studio, state, t }) {
  const dialog = useRef(null);
  useLayoutEffect(() => {
    if (!state.help) return;
    if (!dialog.current.open) dialog.current.showModal();
    studio.askForHelp(false);
  }, [state.help]);
  const rows = [
    ...TOOLS.map(({ name, key }) => [[key], t(name)]),
    [["1", "…", "0", "⇧1", "…"], t("shortcut_labels")],
    [["[", "]"], t("shortcut_size")],
    [["Ctrl Z"], t("undo")],
    [["Ctrl ⇧ Z"], t("redo")],
    [["+", "-"], t("shortcut_zoom")],
    [["W"], t("zoom_whole")],
    [[t("key_space"), t("key_drag")], t("shortcut_pan")],
    [["Enter"], t("shortcut_enter")],
    [["D"], t("dice")],
    [["?"], t("shortcuts")],
    [["Esc"], t("shortcut_escape")],
    [["⌫"], t("shortcut_back")],
    [["⇧"], t("shortcut_even")],
    [["Alt", t("key_click")], t("shortcut_pick")],
    [[t("key_arrows")], t("shortcut_cursor")],
    [[t("key_space")], t("shortcut_space")],
  ];
  return html`
    <button
      type="button"
      class="icon-button keyboard"
      aria-label=${t("shortcuts")}
      title=${t("shortcuts")}
      data-testid="shortcuts"
      onClick=${() => studio.askForHelp(true)}
    ><${Icon} name="keyboard" /></button>
    <dialog
      ref=${dialog}
      aria-label=${t("shortcuts")}
      onClick=${(event) => event.target === dialog.current && dialog.current.close()}
    >
      <form method="dialog">
        <h2>${t("shortcuts")}</h2>
        <dl>
          ${rows.map(
            ([keys, meaning]) => html`<div>
              <dt>${keys.map((key) => (key === "…" ? html`<span>…</span>` : html`<kbd>${key}</kbd>`))}</dt>
              <dd>${meaning}</dd>
            </div>`,
          )}
        </dl>
        <button class="quiet" autofocus>${t("close")}</button>
      </form>
    </dialog>
  `;
}
