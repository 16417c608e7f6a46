// What a reload must not lose, kept in localStorage, which is written before the page goes. Private
// windows may refuse it: then the page works all the same and forgets.

import { fromBase64, toBase64 } from "./base64.js";
import { packDoodle, unpackDoodle } from "./doodle_file.js";

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

/** The word that a service asks for; each address has its own, so that no other ever gets it. */
export function recallToken(base) {
  return recall("tokens")?.[base] ?? "";
}

export function rememberToken(base, token) {
  remember("tokens", { ...recall("tokens"), [base]: token });
}

export function rememberDoodle(grid, labels) {
  const { width, height, names, cells } = packDoodle(grid, labels);
  remember("doodle", { width, height, names, data: toBase64(cells) });
}

/** The kept doodle as a grid of this size and these labels, or null. */
export function recallDoodle(labels, size) {
  const kept = recall("doodle");
  if (!kept) return null;
  try {
    return unpackDoodle({ ...kept, cells: fromBase64(kept.data) }, labels, size);
  } catch {
    return null;
  }
}
