// All kept pictures on one page: look at them large, go on with one, save it, give it a star, delete it.

import { useLayoutEffect, useMemo, useRef, useState } from "./vendor/preact-hooks.js";
import { MOST_STARRED, hasStarLeft } from "./album_list.js";
import { unpackDoodle } from "./doodle_file.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { Viewer, useModal } from "./viewer.js";

export function Gallery({ studio, state, t, onClose }) {
  const { album, language } = state;
  const dialog = useModal();
  const [viewed, view] = useState(null);
  const [deleted, setDeleted] = useState(null);
  const [isFull, setFull] = useState(false);
  const acts = {
    star(entry) {
      setFull(!entry.starred && !hasStarLeft(album));
      studio.album.star(entry.id, !entry.starred);
    },
    delete(entry) {
      view(null);
      setDeleted(entry);
      studio.album.delete(entry);
    },
    putBack() {
      studio.album.putBack(deleted);
      setDeleted(null);
    },
    goOn(entry) {
      dialog.current.close();
      studio.goBackTo(entry);
    },
    save: (entry) => studio.files.saveKept(entry),
    close: () => dialog.current.close(),
  };
  const entries = named(album, language);
  const place = entries.findIndex(({ id }) => id === viewed);
  const step = (by) => view(entries.at((place + by) % entries.length).id);
  const full = isFull ? t("stars_full", { most: MOST_STARRED }) : "";
  return html`<dialog
    ref=${dialog}
    class="gallery"
    aria-label=${t("album")}
    data-testid="gallery"
    onClose=${(event) => event.target === dialog.current && onClose()}
  >
    <${Head} ...${{ deleted, acts, t }} notice=${place < 0 && (full || (deleted && t("deleted")))} />
    ${!entries.length && html`<p class="gallery-empty" data-testid="gallery-empty">${t("album_empty")}</p>`}
    <ul>
      ${entries.map((entry) => html`<${Tile} key=${entry.id} ...${{ entry, acts, view, t }} />`)}
    </ul>
    ${place >= 0 &&
    html`<${Large} ...${{ entry: entries[place], acts, state, t, full }}
      onClose=${() => view(null)}
      onStep=${entries.length > 1 ? step : null}
    />`}
  </dialog>`;
}

function Head({ deleted, acts, t, notice }) {
  const undo = useRef(null);
  const closer = useRef(null);
  // The button that had the focus is gone with its picture, or with the way back.
  useLayoutEffect(() => (undo.current ?? closer.current).focus(), [deleted]);
  return html`<header>
    <h2>${t("album")}</h2>
    <${Notice} name="gallery" text=${notice} />
    ${deleted &&
    html`<button ref=${undo} type="button" class="quiet" data-testid="gallery-undo" onClick=${acts.putBack}>
      ${t("undo")}
    </button>`}
    <button
      ref=${closer}
      type="button"
      class="icon-button"
      aria-label=${t("close")}
      title=${t("close")}
      data-testid="gallery-close"
      onClick=${acts.close}
    ><${Icon} name="close" /></button>
  </header>`;
}

function Notice({ name, text }) {
  return html`<p class="gallery-notice" role="status" data-testid=${`${name}-notice`}>${text}</p>`;
}

function Tile({ entry, acts, view, t }) {
  return html`<li data-testid="gallery-entry">
    <button
      type="button"
      class="gallery-tile"
      aria-label=${t("enlarge_entry", entry.words)}
      data-testid="gallery-open"
      onClick=${() => view(entry.id)}
    ><img src=${entry.url} alt="" /></button>
    <time dateTime=${new Date(entry.when).toISOString()}>${entry.words.time}</time>
    <span class="gallery-acts"><${StarAndDelete} ...${{ entry, acts, t }} name="gallery" /></span>
  </li>`;
}

/** With what the words on each say: `words.number`, the oldest is 1, and `words.time`. */
function named(album, language) {
  const locale = language === "zh" ? "zh-CN" : "en";
  const time = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  return album.map((entry, place) => ({
    ...entry,
    words: { number: album.length - place, time: time.format(entry.when) },
  }));
}

function StarAndDelete({ entry, acts, t, name }) {
  const button = (act, icon, word, pressed) => html`<button
    type="button"
    class="icon-button"
    aria-label=${word}
    title=${word}
    aria-pressed=${pressed}
    data-testid=${`${name}-${act}`}
    onClick=${() => acts[act](entry)}
  ><${Icon} name=${icon} /></button>`;
  return html`${button("star", "star", t("star_entry", entry.words), Boolean(entry.starred))}
    ${button("delete", "clear", t("delete_entry", entry.words), undefined)}`;
}

function Large({ entry, acts, state, t, full, onClose, onStep }) {
  const { labels, width, height } = state;
  // Not `entry`, which is another one with every change of the state.
  const grid = useMemo(
    () => unpackDoodle(entry.doodle, labels, { width, height }),
    [entry.doodle, labels, width, height],
  );
  return html`<${Viewer}
    name="large"
    url=${entry.url}
    alt=${t("album_picture", entry.words)}
    doodle=${grid}
    ...${{ labels, t, onClose, onStep }}
  >
    <p aria-live="polite" data-testid="large-name">${t("album_picture", entry.words)}</p>
    <${Notice} name="large" text=${full} />
    <span class="gallery-acts">
      <button type="button" class="primary" data-testid="large-go-on" onClick=${() => acts.goOn(entry)}>
        ${t("go_on_with")}
      </button>
      <button
        type="button"
        class="icon-button"
        aria-label=${t("save_picture")}
        title=${t("save_picture")}
        data-testid="large-save"
        onClick=${() => acts.save(entry)}
      ><${Icon} name="download" /></button>
      <${StarAndDelete} ...${{ entry, acts, t }} name="large" />
    </span>
  <//>`;
}
