// How the picture shall look: the style, and the seed of what is left to chance. Where the model chooses
// the style by what the doodle shows, every stroke might change the light; so the chosen one is held.

import { DONT_CARE } from "./grid.js";
import { remember } from "./memory.js";
import { photoToBase64, thumbnailOf } from "./photo.js";

const SEEDS = 10000; // Short enough to read out to a friend.
const STYLE_SIDE = 512;
// A style chosen for less of a doodle would be held for what is not there yet.
const HELD_FROM = 0.5;

export const AUTO = { kind: "auto" };

export class Looks {
  /** `generate()` paints anew; `fail(problem)` tells what went wrong. */
  constructor({ store, generate, fail }) {
    Object.assign(this, { store, generate, fail });
  }

  /** What a request says of the look. */
  get wanted() {
    const { seed, style, held, keepLook } = this.store.get();
    return lookOf({ seed, style, styleVector: keepLook ? held : null });
  }

  /** A picture is on the screen: go on in the style that the model chose for it. */
  shown({ styleVector, grid }) {
    if (!styleVector || styleVector === this.store.get().held) return;
    const painted = grid.cells.reduce((count, id) => count + (id !== DONT_CARE), 0);
    if (painted >= HELD_FROM * grid.cells.length) this.set({ held: styleVector });
  }

  /** Let the model choose anew: for another doodle, or because somebody wants it. */
  letGo() {
    if (this.store.get().held) this.set({ held: null });
  }

  /** Throw the dice: another picture of the same doodle. */
  roll() {
    this.vary();
    return this.generate();
  }

  /** Before a picture that was asked for: throw the dice unless the look is to be kept. */
  beforeGenerate() {
    const { keepLook, canVary } = this.store.get();
    if (!keepLook && canVary) this.vary();
  }

  vary() {
    this.set({ seed: anotherSeed(this.store.get().seed), held: null });
  }

  setKeep(keepLook) {
    this.store.set({ keepLook });
    remember("keepLook", keepLook);
  }

  choose(style) {
    this.set({ style, held: null });
    return this.generate();
  }

  /** Take the light and the mood of a photo (a File). */
  async choosePhoto(file) {
    try {
      const [data, url] = [await photoToBase64(file, STYLE_SIDE), await thumbnailOf(file)];
      return this.choose({ kind: "photo", data, url });
    } catch (problem) {
      return this.fail(problem);
    }
  }

  /** Another model may lack the style that was chosen. */
  fit({ styles, stylePhoto }) {
    const { style } = this.store.get();
    const known =
      style.kind === "auto" ||
      (style.kind === "named" && styles.includes(style.name)) ||
      (style.kind === "photo" && stylePhoto);
    if (!known) this.set({ style: AUTO });
  }

  set(look) {
    this.store.set(look);
    const { seed, style, held } = this.store.get();
    remember("look", { seed, style, held });
  }
}

/** What a request says of a look; of a picture, so that another of it looks the same. */
export function lookOf({ seed, style, styleVector }) {
  return {
    seed,
    styleName: style.kind === "named" ? style.name : null,
    stylePhoto: style.kind === "photo" ? style.data : null,
    styleVector: style.kind === "auto" ? styleVector : null,
  };
}

function anotherSeed(seed) {
  const drawn = Math.floor(Math.random() * (SEEDS - 1));
  return drawn >= (seed ?? SEEDS) ? drawn + 1 : drawn; // Never the same twice in a row.
}
