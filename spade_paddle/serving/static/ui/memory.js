// What a reload must not lose, kept in localStorage. Private windows may refuse it: then the page
// works all the same and forgets.

import { fromBase64, toBase64 } from "./api.js";
import { DONT_CARE, createGrid } from "./grid.js";

const PREFIX = "spade_paddle.";

export function remember(key, value) {
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // Full or forbidden: nothing the person could do about it now.
  }
}

export function recall(key) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + key));
  } catch {
    return null;
  }
}

/** Keep the doodle together with the label names, because another model may number them anew. */
export function rememberDoodle(grid, labels) {
  const names = {};
  for (const label of labels) names[label.id] = label.name_en;
  const { width, height } = grid;
  remember("doodle", { width, height, names, data: toBase64(grid.cells) });
}

/** The kept doodle as a grid of this size and these labels, or null. */
export function recallDoodle(labels, width, height) {
  const kept = recall("doodle");
  try {
    const cells = fromBase64(kept.data);
    if (cells.length !== kept.width * kept.height) return null;
    const idOfName = new Map(labels.map((label) => [label.name_en, label.id]));
    const newId = (id) => idOfName.get(kept.names[id]) ?? DONT_CARE;
    const grid = createGrid(width, height);
    for (let y = 0; y < height; y += 1) {
      const row = Math.floor((y * kept.height) / height) * kept.width;
      for (let x = 0; x < width; x += 1) {
        grid.cells[y * width + x] = newId(cells[row + Math.floor((x * kept.width) / width)]);
      }
    }
    return grid;
  } catch {
    return null;
  }
}
