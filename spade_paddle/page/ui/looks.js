// How the picture shall look: the style, and the seed of what is left to chance. Where the model chooses
// the style by what the doodle shows, every stroke might change the light; so the chosen one is held.

import { paintedShare } from "./grid.js";
import { remember } from "./memory.js";
import { photoToBase64, thumbnailOf } from "./photo.js";

const SEEDS = 10000; // Short enough to read out to a friend.
const STYLE_SIDE = 512;
// A style chosen for less of a doodle would be held for what is not there yet.
const HELD_FROM = 0.5;
// A style is chosen anew once so much of the doodle is another than the one it was chosen for.
const CHANGED = 1 / 3;

export const AUTO = { kind: "auto" };

export class Looks {
  /**
   * `doodle()` gives the grid; `generate()` paints anew, `stop()` gives up the picture under way;
   * `fail(problem)` tells what went wrong.
   */
  constructor({ store, doodle, generate, stop, fail }) {
    this.store = store;
    this.doodle = doodle;
    this.generate = generate;
    this.stop = stop;
    this.fail = fail;
    this.turn = 0; // Counts changes of the look.
    this.heldFor = null; // The cells that the held style was chosen for.
  }

  /** What a request says of the look. */
  get wanted() {
    const { seed, style, held, keepLook, hasNaturalEdges, naturalEdges } = this.store.get();
    const edges = hasNaturalEdges && naturalEdges ? "natural" : null;
    return { ...lookOf({ seed, style, edges, styleVector: keepLook ? held : null }), turn: this.turn };
  }

  /** A picture is on the screen: go on in the style that the model chose for it. */
  shown({ styleVector, grid, turn }) {
    const { held, keepLook } = this.store.get();
    if (turn !== this.turn || !styleVector || (held && keepLook)) return;
    if (paintedShare(grid) >= HELD_FROM) this.set({ held: styleVector }, grid.cells);
  }

  /**
   * A step is done, the pen is up: another doodle asks for another light. Not while the pen is down, for
   * the colors would jump under the hand.
   */
  stepped() {
    const { cells } = this.doodle();
    if (!this.store.get().held) return;
    if (this.heldFor?.length !== cells.length) this.heldFor = cells.slice(); // After a reload.
    const changed = cells.reduce((count, id, index) => count + (id !== this.heldFor[index]), 0);
    if (changed > CHANGED * cells.length) this.letGo();
  }

  /** What puts the look of now back, and gives the way to that of then. */
  wayBack() {
    const { seed, style, held } = this.store.get();
    const { heldFor } = this;
    return () => {
      const forth = this.wayBack();
      this.stop();
      this.set({ seed, style, held }, heldFor);
      return forth;
    };
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

  setNaturalEdges(naturalEdges) {
    this.store.set({ naturalEdges });
    remember("naturalEdges", naturalEdges);
    return this.generate();
  }

  choose(style) {
    this.set({ style, held: null });
    return this.generate();
  }

  /** Take the light and the mood of a photo (a File). */
  async choosePhoto(file) {
    try {
      return this.choose(await styleOfPhoto(file));
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

  /** Change some of `{ seed, style, held }`; `heldFor`: the cells that the held style goes with. */
  set(look, heldFor = this.doodle()?.cells.slice()) {
    this.turn += 1;
    if ("held" in look) this.heldFor = look.held && heldFor;
    this.store.set(look);
    const { seed, style, held } = this.store.get();
    remember("look", { seed, style, held });
  }
}

/** What a request says of a look; of a picture, so that another of it looks the same. */
export function lookOf({ seed, style, styleVector, edges = null }) {
  return {
    seed,
    edges,
    styleName: style.kind === "named" ? style.name : null,
    stylePhoto: style.kind === "photo" ? style.data : null,
    styleVector: style.kind === "auto" ? styleVector : null,
  };
}

/** The style that gives a picture the light and the mood of a photo (a File). */
export async function styleOfPhoto(file) {
  const [data, url] = [await photoToBase64(file, STYLE_SIDE), await thumbnailOf(file)];
  return { kind: "photo", data, url };
}

function anotherSeed(seed) {
  const drawn = Math.floor(Math.random() * (SEEDS - 1));
  return drawn >= (seed ?? SEEDS) ? drawn + 1 : drawn; // Never the same twice in a row.
}
