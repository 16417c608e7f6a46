// What the person does, as verbs; drawing itself is in drawing.js. Everything that the components
// show goes through the store.

import { Album } from "./album.js";
import { Connection } from "./connection.js";
import { unpackDoodle } from "./doodle_file.js";
import { Drawing } from "./drawing.js";
import { Files } from "./files.js";
import { Generator } from "./generator.js";
import { copyGrid, createGrid, isEmpty } from "./grid.js";
import { Looks } from "./looks.js";
import { recall, recallDoodle, remember, rememberDoodle, rememberToken } from "./memory.js";
import { labelThatShows } from "./palette.js";
import { Problem } from "./problem.js";
import { makeScenes } from "./scenes.js";
import { Share } from "./share.js";
import { SIZES, toolsFor } from "./tools.js";
import { Zoom } from "./zoom.js";

const SAVE_AFTER_MS = 400;

export class Studio {
  constructor({ service, store }) {
    this.service = service;
    this.store = store;
    this.drawing = new Drawing({
      store,
      onChange: () => this.changed(),
      onStep: () => this.looks.stepped(),
      wayBack: () => this.looks.wayBack(),
    });
    this.zoom = new Zoom(store);
    this.saveTimer = null;
    this.unsaved = false;
    this.looks = new Looks({
      store,
      doodle: () => this.grid,
      stop: () => this.generator.stop(),
      generate: () => this.generator.now({ wanted: true }),
      fail: (problem) => this.fail(problem),
    });
    this.files = new Files({ studio: this, service, store });
    this.share = new Share({ studio: this, service, store });
    this.album = new Album({ store });
    this.generator = new Generator({
      service,
      store,
      doodle: () => this.grid && copyGrid(this.grid),
      look: () => this.looks.wanted,
      onShown: (picture, run) => {
        this.looks.shown(picture);
        this.album.shown(picture, run);
        this.share.pictures.add(picture);
      },
      onEnlarged: (picture) => this.album.enlarged(picture),
      onLost: (problem) => this.connection.lost(problem),
      onSlow: () => this.connection.look(),
    });
    this.connection = new Connection({
      service,
      store,
      onReachable: () => this.loadLabels().then(() => this.share.openLink()),
      onReady: () => this.catchUp(),
    });
  }

  get grid() {
    return this.drawing.grid;
  }

  start() {
    const known = recall("labels"); // So that one can go on drawing while the service is away.
    if (known) this.useLabels(known);
    addEventListener("pagehide", () => this.save());
    addEventListener("visibilitychange", () => document.hidden && this.save());
    this.album.read();
    return this.connection.check();
  }

  async loadLabels() {
    if (this.labelsAreFresh) return;
    const labelSet = await this.service.labels();
    this.labelsAreFresh = true;
    if (JSON.stringify(labelSet) === JSON.stringify(recall("labels")) && this.grid) return;
    this.save(); // Under the old names; useLabels then reads it under the new ones.
    remember("labels", labelSet);
    this.looks.letGo(); // Another model has other styles.
    this.useLabels(labelSet);
  }

  useLabels({ labels, model, annotate }) {
    const { width, height } = model;
    const scenes = makeScenes(labels, width, height);
    const kept = recallDoodle(labels, { width, height });
    const grid = kept || scenes[0]?.grid && copyGrid(scenes[0].grid) || createGrid(width, height);
    const label = labels.find((entry) => entry.id === this.store.get().label) || labelThatShows(labels, grid);
    const styles = Array.isArray(model.styles) ? model.styles : [];
    const stylePhoto = Boolean(model.style_photo);
    this.looks.fit({ styles, stylePhoto });
    this.drawing.open(grid);
    this.store.set({
      ...{ labels, scenes, width, height, styles, stylePhoto, label: label.id },
      model: `${model.name} ${model.version}`,
      canVary: Boolean(model.seed),
      hasNaturalEdges: Boolean(model.natural_edges),
      hasLarge: Boolean(model.large),
      canAnnotate: Boolean(annotate),
      stale: !isEmpty(grid),
    });
    this.fitTool();
  }

  /** Another doodle in the place of this one, in a look of its own; can be undone, with the look. */
  useGrid(grid, look = { held: null }) {
    this.generator.stop();
    this.drawing.replace(grid.cells);
    this.looks.set(look);
  }

  /** Back to an earlier picture: its doodle, its look, and itself. */
  goBackTo(entry) {
    const { labels, width, height } = this.store.get();
    const { seed, style, styleVector } = entry;
    const grid = unpackDoodle(entry.doodle, labels, { width, height });
    this.useGrid(grid, { seed, style, held: styleVector });
    this.generator.stop();
    const { doodle, ...picture } = entry;
    this.generator.put({ ...picture, url: URL.createObjectURL(entry.blob), grid: copyGrid(this.grid) });
    this.store.set({ stale: false });
  }

  // Choices.

  selectLabel(label) {
    this.drawing.selectLabel(label);
  }

  /** `index` into SIZES; out of range means the nearest. */
  selectSize(index) {
    const sizeIndex = Math.min(SIZES.length - 1, Math.max(0, index));
    this.store.set({ sizeIndex });
    remember("size", sizeIndex);
  }

  setLive(live) {
    this.store.set({ live });
    remember("live", live);
    if (live && this.store.get().stale) this.generator.soon();
  }

  setLanguage(language) {
    this.store.set({ language });
    remember("language", language);
  }

  setKids(kids) {
    this.store.set({ kids });
    remember("kids", kids);
    this.fitTool();
  }

  /** To the brush where the tool in hand is not among those shown. */
  fitTool() {
    const { tool } = this.store.get();
    if (!toolsFor(this.store.get()).some(({ name }) => name === tool)) this.drawing.selectTool("brush");
  }

  askForHelp(help) {
    this.store.set({ help });
  }

  setCompare(compare) {
    this.store.set({ compare });
  }

  generate() {
    this.drawing.settle();
    this.looks.beforeGenerate();
    return this.generator.now({ wanted: true });
  }

  /** A link named a service that this page does not know: go there for good, or stay. */
  answerAbout(unknown, { allowed }) {
    if (allowed) {
      remember("services", [...(recall("services") ?? []), unknown]);
      location.reload();
    } else {
      const address = new URL(location.href);
      address.searchParams.delete("api");
      history.replaceState(null, "", address);
      this.store.set({ unknownService: null });
      this.start();
    }
  }

  /** The word that opens the service, from whoever runs it. */
  setToken(token) {
    this.service.token = token;
    rememberToken(this.service.base, token);
    return this.generate();
  }

  /** After a problem: look for the service where it is away, else paint again. */
  retry() {
    if (this.store.get().service === "ready") return this.generate();
    return this.connection.check();
  }

  /** Say what went wrong; a mistake of ours goes to the console. */
  fail(problem) {
    if (problem?.name === "AbortError") return;
    if (!(problem instanceof Problem)) throw problem;
    this.store.set({ problem });
  }

  dismissProblem() {
    this.store.set({ problem: null });
  }

  // How it is done.

  /** After any change of the grid: paint soon, save soon. */
  changed() {
    const { stale, problem, live, service } = this.store.get();
    if (!stale) this.store.set({ stale: true });
    if (problem?.code === "nothing_painted") this.store.set({ problem: null });
    clearTimeout(this.saveTimer);
    this.unsaved = true;
    this.saveTimer = setTimeout(() => whenIdle(() => this.save()), SAVE_AFTER_MS);
    const isBlank = isEmpty(this.grid);
    if (isBlank) this.looks.letGo();
    if (!live || service !== "ready") return;
    if (isBlank) this.generator.stop(); // Only the Generate button says that nothing is painted.
    else this.generator.soon();
  }

  /** Paint the doodle, also where nobody draws, now or when the service is there. */
  paintOnceReady() {
    this.generator.owed = true;
    if (this.store.get().service === "ready") this.catchUp();
  }

  /** The service is there (again): paint what waited for it. */
  catchUp() {
    const { stale, live } = this.store.get();
    const { owed } = this.generator;
    if ((owed || (stale && live)) && this.grid && !isEmpty(this.grid)) {
      this.generator.now({ wanted: owed });
    }
  }

  /** Keep the doodle; not one that has not changed here, for another tab may have a newer one. */
  save() {
    clearTimeout(this.saveTimer);
    if (!this.unsaved) return;
    this.unsaved = false;
    rememberDoodle(this.grid, this.store.get().labels);
  }
}

/** Between two frames, so that the hand does not feel it; Safari has no such moment to tell. */
function whenIdle(action) {
  if ("requestIdleCallback" in window) requestIdleCallback(action, { timeout: SAVE_AFTER_MS });
  else action();
}
