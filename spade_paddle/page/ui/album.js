// The pictures so far, each with the doodle and the look it came from, so that one can go back to any
// of them. Kept in IndexedDB, where there is room; a private window forgets them. What is on the disk
// counts: every change is made there, too, in one transaction, and the other tabs read it anew.

import { MOST, isSame, withEntry, withStar, without } from "./album_list.js";
import { packDoodle } from "./doodle_file.js";
import { createStore, getMany, update } from "./vendor/idb-keyval.js";

// While somebody draws there is a picture every second; one that stays is worth keeping.
const STAYS_MS = 2500;

export class Album {
  constructor({ store }) {
    this.store = store;
    this.timer = null;
    this.unsaved = new Set(); // ids of what is not on the disk (yet)
    this.deleted = []; // `{ doodle, seed, style }`: painted once more after a reload, they stay away
    try {
      this.shelf = createStore("spade_paddle", "album");
    } catch {
      this.shelf = null; // No IndexedDB here.
    }
    this.tabs = "BroadcastChannel" in window ? new BroadcastChannel("spade_paddle.album") : null;
    this.tabs?.addEventListener("message", () => this.read());
  }

  get entries() {
    return this.store.get().album;
  }

  /** What an earlier visit or another tab has left. */
  async read() {
    await this.attempt(async () => {
      const [kept, deleted] = await getMany(["pictures", "deleted"], this.shelf);
      this.deleted = listOf(deleted);
      const unsaved = this.entries.filter(({ id }) => this.unsaved.has(id));
      this.show(unsaved.reduce(withEntry, listOf(kept)));
    });
  }

  /** A picture is on the screen; `wanted`: it was asked for, not made on the way. */
  shown(picture, { wanted }) {
    clearTimeout(this.timer);
    if (wanted) this.keep(picture);
    else this.timer = setTimeout(() => this.keep(picture, this.deleted), STAYS_MS);
  }

  /** The picture on the screen is larger now: it takes the place of the smaller one, here or soon here. */
  enlarged(picture) {
    if (this.entries.some(({ id }) => id === picture.id)) this.keep(picture);
    else this.shown(picture, { wanted: false });
  }

  /** Keep a picture, unless it is kept already or looks like one of the `unwanted`. */
  keep(picture, unwanted = []) {
    clearTimeout(this.timer);
    const { id, when, blob, format, milliseconds, isLarge, seed, style, styleVector, edges } = picture;
    const doodle = packDoodle(picture.grid, this.store.get().labels);
    const look = { seed, style, styleVector, edges };
    const entry = { id, when, blob, format, milliseconds, isLarge, ...look, doodle };
    // A reload paints the same once more.
    const isKnown = this.entries.some((other) => isSame(other, entry) && (other.isLarge || !isLarge));
    if (isKnown || unwanted.some((other) => isSame(other, entry))) return;
    this.add(entry);
  }

  add(entry) {
    this.unsaved.add(entry.id);
    this.change((entries) => withEntry(entries, entry), () => this.unsaved.delete(entry.id));
  }

  star(id, starred) {
    this.change((entries) => withStar(entries, id, starred));
  }

  delete({ id, doodle, seed, style, edges }) {
    this.unsaved.delete(id);
    this.changeDeleted((deleted) => [{ doodle, seed, style, edges }, ...deleted].slice(0, MOST));
    this.change((entries) => without(entries, id));
  }

  /** Undo `delete`. */
  putBack({ url, ...entry }) {
    this.changeDeleted((deleted) => deleted.filter((other) => !isSame(other, entry)));
    this.add(entry);
  }

  // How it is done.

  async change(action, done = () => {}) {
    this.show(action(this.entries));
    await this.attempt(async () => {
      await update("pictures", (kept) => action(listOf(kept)), this.shelf);
      done();
      this.tabs?.postMessage("changed");
    });
    await this.read();
  }

  changeDeleted(action) {
    this.deleted = action(this.deleted);
    this.attempt(() => update("deleted", (deleted) => action(listOf(deleted)), this.shelf));
  }

  show(entries) {
    const keyOf = ({ id, isLarge }) => (isLarge ? `${id} large` : id);
    const urls = new Map(this.entries.map((entry) => [keyOf(entry), entry.url]));
    const album = entries.map((entry) => ({
      ...entry,
      url: urls.get(keyOf(entry)) ?? URL.createObjectURL(entry.blob),
    }));
    for (const entry of album) urls.delete(keyOf(entry));
    for (const url of urls.values()) URL.revokeObjectURL(url);
    this.store.set({ album });
  }

  async attempt(action) {
    if (!this.shelf) return;
    try {
      await action();
    } catch {
      // Full or forbidden: the album lives as long as the page.
    }
  }
}

function listOf(kept) {
  return Array.isArray(kept) ? kept : [];
}
