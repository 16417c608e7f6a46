// Starts the page: state, service, keyboard, and the components on top.

import { useEffect } from "./vendor/preact-hooks.js";
import { render } from "./vendor/preact.js";
import { AlbumStrip } from "./album_strip.js";
import { Service, serviceOf } from "./api.js";
import { Board } from "./board.js";
import { DoodleMenus } from "./doodle_menus.js";
import { Header } from "./header.js";
import { html } from "./html.js";
import { languageOf, translator } from "./i18n.js";
import { IdeaCard } from "./idea_card.js";
import { AUTO } from "./looks.js";
import { listenToKeys } from "./keys.js";
import { recall, recallToken } from "./memory.js";
import { DropZone } from "./open_file.js";
import { Palette, paletteOrder } from "./palette.js";
import { PicturePanel, statusSentence } from "./picture.js";
import { Said } from "./said.js";
import { SceneStrip } from "./scene_strip.js";
import { ServiceQuestion } from "./service_question.js";
import { ShareNotice } from "./share_parts.js";
import { StampChoice } from "./stamp_choice.js";
import { createStore, useStore } from "./store.js";
import { Studio } from "./studio.js";
import { Steps, Toolbar, Tools } from "./toolbar.js";
import { WHOLE } from "./zoom.js";

const store = createStore({
  language: recall("language") ?? languageOf(navigator.language),
  live: recall("live") ?? true,
  sizeIndex: recall("size") ?? 9, // 20 cells
  tool: "brush",
  stamp: "tree",
  label: null, // id to paint with
  labels: null, // as the service lists them; null until known
  scenes: [],
  model: "", // its name and version
  width: 0, // of the doodle: the model's native size
  height: 0,
  styles: [], // names of the model's styles
  stylePhoto: false, // the model can take a photo's style
  canVary: false, // another seed, another picture
  hasNaturalEdges: false, // the service can make the edges of a doodle natural
  hasLarge: false, // the service has a model for pictures of twice the size
  canAnnotate: false, // the service makes doodles of photos
  seed: recall("look")?.seed ?? null,
  style: recall("look")?.style ?? AUTO,
  held: recall("look")?.held ?? null, // the style that the model chose, as numbers
  keepLook: recall("keepLook") ?? true,
  naturalEdges: recall("naturalEdges") ?? true,
  kids: recall("kids") ?? false,
  help: false, // the keyboard shortcuts are asked for
  compare: false, // the doodle lies half over the picture
  notice: null, // { key, link, stays } of what is said about sharing, share.js
  timeLapse: null, // { done, of } frames of the one that is being made
  album: [], // earlier pictures, the newest first
  annotating: false, // a photo becomes a doodle
  unknownService: null, // an address that a link named, while it is asked about
  service: "connecting", // connecting, starting, ready, away, blocked
  painting: false,
  slow: false, // painting for so long that it should be said
  stale: false, // the doodle has changed since the picture
  picture: null, // { url, format, milliseconds, isLarge }
  previous: null, // the picture before, still under the new one while that fades in
  problem: null,
  canUndo: false,
  canRedo: false,
  zoom: WHOLE, // which part of the doodle is seen, zoom.js
  said: null, // { key, values } of what a screen reader hears about drawing, said.js
});

function App({ studio }) {
  const state = useStore(store);
  const t = translator(state.language);
  useEffect(() => {
    document.documentElement.lang = state.language === "zh" ? "zh-CN" : "en";
    document.title = t("title");
  }, [state.language]);
  const common = { studio, state, t };
  return html`
    <${Header} ...${common} />
    <main class=${state.kids ? "for-kids" : ""}>
      <${Palette} ...${common} />
      <section class="panel panel-doodle" aria-label=${t("doodle")}>
        <header class="caption">
          <h2>${t("doodle")}</h2>
          ${!state.kids && html`<${DoodleMenus} ...${common} />`}
          <${Steps} ...${common} />
        </header>
        <${Tools} ...${common} />
        <${Board} ...${common} />
        ${state.annotating &&
        html`<p class="annotating" data-testid="annotating">
          ${t("annotating")}<span class="progress"><span /></span>
        </p>`}
        <${Toolbar} ...${common} />
        <${StampChoice} ...${common} />
      </section>
      <${PicturePanel} ...${common} />
      <${IdeaCard} ...${common} />
      <${SceneStrip} ...${common} />
      <${AlbumStrip} ...${common} />
    </main>
    <${ShareNotice} ...${common} />
    <${DropZone} ...${common} />
    ${state.unknownService && html`<${ServiceQuestion} ...${common} />`}
    <p class="heard" role="status" aria-live="polite" data-testid="status">
      ${statusSentence(state, t)}
    </p>
    <${Said} ...${common} />
  `;
}

/** @type {HTMLMetaElement | null} */
const meta = document.querySelector("meta[name=gaugan-api]");
const { base, unknown } = serviceOf(location.search, meta?.content, recall("services") ?? []);
store.set({ unknownService: unknown });
const service = new Service(base, location, recallToken(base), meta?.content);
const studio = new Studio({ service, store });
render(html`<${App} studio=${studio} />`, document.querySelector("#app"));
listenToKeys(studio, () => paletteOrder(store.get().labels || [], store.get()));
if (!unknown) studio.start();
