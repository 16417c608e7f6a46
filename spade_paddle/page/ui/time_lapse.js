// How a doodle came about, as a GIF: each step beside the picture that it was painted as. A GIF plays
// everywhere, and is made as fast as the computer can; a video would be recorded in real time.

import { DONT_CARE, resizeGrid } from "./grid.js";
import { pack } from "./packed.js";
import { GIFEncoder, applyPalette, quantize } from "./vendor/gifenc.js";
import { paletteBytes } from "./view.js";

const MOST_FRAMES = 60;
const MOST_PICTURES = 120; // About 10 KB each.
const SIDE = 256; // A GIF of larger ones would have many MB.
const GAP = 8;
// Between 4 and 8 frames a second; a long one is over in about 8 s.
const [SLOWEST_MS, FASTEST_MS, ALL_MS, LAST_MS] = [250, 130, 8000, 2000];
const COLORS = 256;
// Colors are chosen for one pixel in so many, which takes a tenth of the time; odd, so not in columns.
const SAMPLED = 17;
const UNCHANGED = 0; // The color that stands for "as in the frame before".

/** The pictures shown since the page was opened, each with the doodle it shows. */
export class ShownPictures {
  constructor() {
    this.all = [];
  }

  add({ grid, blob }) {
    this.all.push([keyOf(grid.cells), blob]);
    if (this.all.length > MOST_PICTURES) this.all.shift();
  }

  /** The newest picture (Blob) of each doodle, by its `keyOf`; also those of an album (the newest first). */
  with(album) {
    const earlier = album.map(({ doodle, blob }) => [keyOf(doodle.cells), blob]).reverse();
    return new Map([...earlier, ...this.all]);
  }
}

/** The same text for the same cells, quicker to compare than those. */
function keyOf(cells) {
  const { raw, ids, ends } = pack(cells);
  return raw ? String(raw) : `${ids};${ends}`;
}

/**
 * The frames, `[{ cells, blob }]`: after each step the newest picture of just that doodle; while there is
 * none, the one before, or null. The last frame has the picture that is shown, if one is.
 */
export function framesOf(history, pictures, shown) {
  let blob = null;
  const frames = history.states(MOST_FRAMES).map((cells) => {
    blob = pictures.get(keyOf(cells)) ?? blob;
    return { cells, blob };
  });
  if (shown) frames.at(-1).blob = shown.blob;
  return frames;
}

/** How long frame `place` of `count` is shown, in ms. */
export function delayOf(place, count) {
  if (place === count - 1) return LAST_MS;
  return Math.min(SLOWEST_MS, Math.max(FASTEST_MS, ALL_MS / count));
}

/**
 * The GIF as a Blob, or null when `goOn(done)`, asked (and awaited) before each frame, says no. `size`: of
 * the doodles, in cells.
 */
export async function makeTimeLapse(frames, labels, size, goOn) {
  const scale = Math.min(1, SIDE / Math.min(size.width, size.height));
  const panel = { width: Math.round(size.width * scale), height: Math.round(size.height * scale) };
  const whole = { width: 2 * panel.width + GAP, height: panel.height };
  const colors = doodleColors(frames, labels);
  const encoder = GIFEncoder();
  let [before, picture] = [null, null];
  for (const [place, { cells, blob }] of frames.entries()) {
    if (!(await goOn(place))) return null;
    if (blob && blob !== picture?.blob) {
      picture = await readPicture(blob, panel, colors.palette.length);
    }
    const now = { doodle: resizeGrid({ ...size, cells }, panel).cells, picture };
    encoder.writeFrame(indices(now, before, { panel, whole, colors }), whole.width, whole.height, {
      palette: [...colors.palette, ...(picture?.palette ?? [])],
      delay: delayOf(place, frames.length),
      transparent: Boolean(before),
      transparentIndex: UNCHANGED,
      dispose: 1, // Leave the frame where it is; the next one changes it.
    });
    before = now;
  }
  encoder.finish();
  return new Blob([encoder.bytes()], { type: "image/gif" });
}

/** The exact colors of the labels that occur, and the place of each id among them. */
function doodleColors(frames, labels) {
  const occurring = new Set([DONT_CARE]);
  for (const { cells } of frames) for (const id of cells) occurring.add(id);
  const bytes = paletteBytes(labels);
  const ids = [...occurring];
  const palette = [UNCHANGED, ...ids].map((id) => [...bytes.subarray(id * 3, id * 3 + 3)]);
  const places = new Uint8Array(256);
  ids.forEach((id, place) => {
    places[id] = place + 1;
  });
  return { palette, places };
}

/** A picture in few colors of its own, which stand behind the `first` ones. */
async function readPicture(blob, { width, height }, first) {
  const bitmap = await createImageBitmap(blob);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const pixels = context.getImageData(0, 0, width, height).data;
  const sample = pixels.filter((_, index) => (index >> 2) % SAMPLED === 0);
  const palette = quantize(sample, COLORS - first);
  return { blob, palette, places: applyPalette(pixels, palette).map((place) => place + first) };
}

/** The colors of one frame, row by row; `UNCHANGED` where it is as `before`: that packs very small. */
function indices(now, before, { panel, whole, colors }) {
  const { places } = colors;
  const all = new Uint8Array(whole.width * whole.height).fill(before ? UNCHANGED : places[DONT_CARE]);
  for (let y = 0; y < panel.height; y += 1) {
    for (let x = 0; x < panel.width; x += 1) {
      const index = y * panel.width + x;
      const at = y * whole.width + x;
      const id = now.doodle[index];
      if (id !== before?.doodle[index]) all[at] = places[id];
      if (now.picture !== before?.picture) all[at + panel.width + GAP] = now.picture.places[index];
    }
  }
  return all;
}
