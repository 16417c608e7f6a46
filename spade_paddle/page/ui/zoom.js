// Looking closer. A zoom is `{ scale, x, y }`: a place at the fraction f of the doodle stands at
// the fraction `x + scale * f` of the board (and `y + ...` down). The doodle always covers the board.

export const WHOLE = { scale: 1, x: 0, y: 0 };
export const MAX_SCALE = 16;
export const STEP = 1.5;

/** Zoom by a factor so that what stands at the place (in fractions of the board) stays there. */
export function zoomAt(zoom, factor, place = { x: 0.5, y: 0.5 }) {
  return pinch(zoom, { from: place, to: place, factor });
}

/** What stood at `from` comes to stand at `to` (two fingers moved), `factor` times as large. */
export function pinch(zoom, { from, to, factor }) {
  const scale = Math.min(MAX_SCALE, Math.max(1, zoom.scale * factor));
  const growth = scale / zoom.scale;
  return kept({
    scale,
    x: to.x - (from.x - zoom.x) * growth,
    y: to.y - (from.y - zoom.y) * growth,
  });
}

/** Shift what is seen, in fractions of the board. */
export function panBy(zoom, dx, dy) {
  return kept({ scale: zoom.scale, x: zoom.x + dx, y: zoom.y + dy });
}

/** Shift as little as needed to see a place (in fractions of the doodle) with some room round it. */
export function reveal(zoom, place, room = 0.1) {
  const shift = (at) => Math.max(0, room - at) + Math.min(0, 1 - room - at);
  const { x, y } = onBoard(zoom, place);
  return panBy(zoom, shift(x), shift(y));
}

/** Where a place of the doodle stands on the board; both in fractions. */
export function onBoard(zoom, { x, y }) {
  return { x: zoom.x + zoom.scale * x, y: zoom.y + zoom.scale * y };
}

export function sameZoom(a, b) {
  return a.scale === b.scale && a.x === b.x && a.y === b.y;
}

function kept({ scale, x, y }) {
  const keep = (value) => Math.min(0, Math.max(1 - scale, value));
  return { scale, x: keep(x), y: keep(y) };
}

/** The zoom of the page, kept in the store. */
export class Zoom {
  constructor(store) {
    this.store = store;
  }

  get now() {
    return this.store.get().zoom;
  }

  /** Returns whether this is another zoom than before. */
  set(zoom) {
    if (sameZoom(zoom, this.now)) return false;
    this.store.set({ zoom });
    return true;
  }

  /** For buttons and keys: `factor` times larger, or the whole doodle without one. */
  step(factor) {
    this.set(factor ? zoomAt(this.now, factor) : WHOLE);
    this.store.set({ said: { key: "said_zoom", values: { percent: percentOf(this.now) } } });
  }
}

export function percentOf({ scale }) {
  return Math.round(scale * 100);
}
