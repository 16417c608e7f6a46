// Earlier pictures as small ones to tap: each brings back its doodle and its look. All of them, large, are
// in the gallery.

import { useState } from "./vendor/preact-hooks.js";
import { Gallery } from "./gallery.js";
import { html } from "./html.js";

export function AlbumStrip({ studio, state, t }) {
  const { album, labels, language, picture } = state;
  const [all, showAll] = useState(false);
  if (!labels || !(album.length || all)) return null;
  const time = new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en", {
    hour: "2-digit",
    minute: "2-digit",
  });
  return html`<section class="strip album" aria-label=${t("album")}>
      <h2>${t("album")}</h2>
      <button
        type="button"
        class="show-all"
        aria-label=${t("album_all_long")}
        data-testid="show-gallery"
        onClick=${() => showAll(true)}
      >${t("album_all")}</button>
      <ul data-testid="album">
        ${album.map((entry, place) => {
          const name = t("album_entry", { number: album.length - place, time: time.format(entry.when) });
          return html`<li key=${entry.id}>
            <button
              type="button"
              class="tile"
              aria-label=${name}
              title=${name}
              aria-current=${entry.id === picture?.id ? "true" : undefined}
              data-testid="album-entry"
              onClick=${() => studio.goBackTo(entry)}
            ><img src=${entry.url} alt="" /></button>
          </li>`;
        })}
      </ul>
    </section>
    ${all && html`<${Gallery} ...${{ studio, state, t }} onClose=${() => showAll(false)} />`}`;
}
