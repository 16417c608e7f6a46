// The pictures so far, each with the doodle and the look it came from, so that one can go back to any
// of them. Kept in IndexedDB, where there is room; a private window forgets them.

import { packDoodle } from "./doodle_file.js";
import { createStore, get, update } from "./vendor/idb-keyval.js";

const MOST = 24;
// While somebody draws there is a picture every second; one that stays is worth keeping.
const STAYS_MS = 2500;

export class Album {
  constructor({ store }) {
    this.store = store;
    this.timer = null;
    try {
      this.shelf = createStore("spade_paddle", "album");
    } catch {
      this.shelf = null; // No IndexedDB here.
    }
  }

  /** What an earlier visit left. */
  async open() {
    const kept = await this.attempt(() => get("pictures", this.shelf));
    if (!Array.isArray(kept)) return;
    const known = new Set(this.entries.map((entry) => entry.id));
    this.show([...this.entries, ...kept.filter((entry) => !known.has(entry.id))]);
  }

  get entries() {
    return this.store.get().album;
  }

  /** A picture is on the screen; `wanted`: it was asked for, not made on the way. */
  shown(picture, { wanted }) {
    clearTimeout(this.timer);
    if (wanted) this.keep(picture);
    else this.timer = setTimeout(() => this.keep(picture), STAYS_MS);
  }

  keep(picture) {
    clearTimeout(this.timer);
    // A reload paints the same once more.
    if (this.entries.some((entry) => entry.id === picture.id || isSame(entry, picture))) return;
    const { id, when, blob, format, milliseconds, seed, style, styleVector } = picture;
    const doodle = packDoodle(picture.grid, this.store.get().labels);
    const entry = { id, when, blob, format, milliseconds, seed, style, styleVector, doodle };
    this.show([entry, ...this.entries]);
    // In one transaction, for another tab may have kept others.
    const add = (kept) => {
      const others = Array.isArray(kept) ? kept.filter((other) => !isSame(other, picture)) : [];
      return [entry, ...others].slice(0, MOST);
    };
    this.attempt(() => update("pictures", add, this.shelf));
  }

  show(entries) {
    for (const { url } of entries.slice(MOST)) URL.revokeObjectURL(url);
    const album = entries
      .slice(0, MOST)
      .map((entry) => (entry.url ? entry : { ...entry, url: URL.createObjectURL(entry.blob) }));
    this.store.set({ album });
  }

  async attempt(action) {
    if (!this.shelf) return null;
    try {
      return await action();
    } catch {
      return null; // Full or forbidden: the album lives as long as the page.
    }
  }
}

function isSame({ doodle, seed, style }, picture) {
  return (
    seed === picture.seed &&
    JSON.stringify(style) === JSON.stringify(picture.style) &&
    doodle.cells.length === picture.grid.cells.length &&
    doodle.cells.every((id, index) => id === picture.grid.cells[index])
  );
}
