// What several of the page's Node tests need.

export const ui = new URL("../../spade_paddle/page/ui/", import.meta.url);

/** A module of the page. */
export function load(name) {
  return import(new URL(name, ui));
}

/** A small seeded generator (mulberry32), so that a failure can be repeated. */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}

/** The indices that a change of one label lists, in its order. */
export function cellsOf({ runs }) {
  const cells = [];
  for (let i = 0; i < runs.length; i += 2) for (let c = runs[i]; c < runs[i + 1]; c += 1) cells.push(c);
  return cells;
}

/** A grid from rows of digits; "." is paper. */
export function gridFrom(rows) {
  const cells = rows.flatMap((row) => [...row].map((sign) => (sign === "." ? 255 : Number(sign))));
  return { width: rows[0].length, height: rows.length, cells: Uint8Array.from(cells) };
}

/** The other way round. */
export function rowsOf({ width, height, cells }) {
  return Array.from({ length: height }, (_, y) =>
    [...cells.subarray(y * width, (y + 1) * width)].map((id) => (id === 255 ? "." : id)).join(""),
  );
}
