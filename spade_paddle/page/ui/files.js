// Opening and saving: doodles as files, photos that become doodles, pictures to take along.

import { doodleToJson, doodleToPng, readDoodleFile, unpackDoodle } from "./doodle_file.js";
import { doubleGrid } from "./grid.js";
import { lookOf, styleOfPhoto } from "./looks.js";
import { enlarge, photoToBase64 } from "./photo.js";
import { Problem } from "./problem.js";

const PHOTO_SIDE = 1024;

export class Files {
  /** `studio` holds the doodle; `service` knows what a photo shows. */
  constructor({ studio, service, store }) {
    this.studio = studio;
    this.service = service;
    this.store = store;
    this.run = null;
  }

  /** Open a file: a doodle as it is, any other picture as a photo to make a doodle of. */
  async open(file) {
    const { labels, canAnnotate, stylePhoto } = this.store.get();
    if (!labels) return;
    try {
      const packed = readDoodleFile(new Uint8Array(await file.arrayBuffer()), labels);
      if (packed) this.studio.useGrid(unpackDoodle(packed, labels, this.store.get()));
      else if (canAnnotate) await this.openPhoto(file);
      else if (stylePhoto) await this.offerLight(file);
      else throw new Problem("not_a_doodle");
    } catch (error) {
      this.studio.fail(error);
    }
  }

  /** Where photos cannot become doodles, they have their light to give, to those who want it. */
  async offerLight(file) {
    throw new Problem("photo_light_only", { details: { style: await styleOfPhoto(file) } });
  }

  /** The doodle of a photo, with its light where the model can take that; one step of undo. */
  async openPhoto(file) {
    this.run?.abort();
    const run = new AbortController();
    this.run = run;
    this.store.set({ annotating: true, problem: null });
    try {
      const photo = await photoToBase64(file, PHOTO_SIDE);
      const { width, height, stylePhoto } = this.store.get();
      const light = stylePhoto ? { style: { ...(await styleOfPhoto(file)), ofDoodle: true } } : {};
      const cells = await this.service.annotate(photo, { width, height }, run.signal);
      if (run !== this.run) return;
      this.studio.useGrid({ width, height, cells }, { held: null, ...light });
      if (stylePhoto) this.studio.drawing.say("said_photo_light");
    } catch (error) {
      if (run === this.run) throw error;
    } finally {
      if (run === this.run) this.store.set({ annotating: false });
    }
  }

  saveDoodlePng() {
    const png = doodleToPng(this.studio.grid, this.store.get().labels);
    save(new Blob([png], { type: "image/png" }), fileName("doodle", "png"));
  }

  saveDoodleJson() {
    const json = doodleToJson(this.studio.grid, this.store.get().labels);
    save(new Blob([json], { type: "application/json" }), fileName("doodle", "json"));
  }

  /** One that was made on the way comes without JPEG's traces, while the service is there. */
  async savePicture() {
    let { picture } = this.store.get();
    if (picture.format === "jpeg") {
      const grid = picture.isLarge ? doubleGrid(picture.grid) : picture.grid;
      picture = await this.service.paint(grid, lookOf(picture)).catch(() => picture);
    }
    save(picture.blob, fileName("landscape", ending(picture)));
  }

  /** One of the album, as it was kept: the model may be another one by now. */
  saveKept(entry) {
    save(entry.blob, fileName("landscape", ending(entry)));
  }

  /** The picture painted anew at twice its size; enlarged where the service takes no such doodle. */
  async savePictureLarge() {
    const { picture } = this.store.get();
    this.store.set({ slow: true });
    try {
      const painted = await this.service.paint(doubleGrid(picture.grid), lookOf(picture));
      save(painted.blob, fileName("landscape-2x", ending(painted)));
    } catch (problem) {
      if (problem.code !== "label_map_too_large") return this.studio.fail(problem);
      save(await enlarge(picture.blob, 2), fileName("landscape-2x", "png"));
    } finally {
      this.store.set({ slow: this.store.get().painting });
    }
    return null;
  }

  /** Hand the picture to another app, where the browser can. */
  share() {
    return this.send(this.sharedFile());
  }

  async send(file) {
    try {
      await navigator.share({ files: [file] });
    } catch (error) {
      if (error.name !== "AbortError") this.studio.fail(new Problem("share_failed"));
    }
  }

  get canShare() {
    // Missing outside secure contexts, and in most browsers on a desk.
    return Boolean(this.store.get().picture && navigator.canShare?.({ files: [this.sharedFile()] }));
  }

  sharedFile() {
    const { picture } = this.store.get();
    return new File([picture.blob], fileName("landscape", ending(picture)), { type: picture.blob.type });
  }
}

function ending(picture) {
  return picture.format === "jpeg" ? "jpg" : "png";
}

/** A name with the time of now, for a file to keep. */
export function fileName(what, end) {
  return `${what}-${new Date().toISOString().slice(0, 19).replace(/[T:]/g, "-")}.${end}`;
}

/** Have the browser save a Blob under a name. */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
