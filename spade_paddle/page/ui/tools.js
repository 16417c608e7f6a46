// The tools of the tool bar: their order, groups and keys. What each of them does to the grid
// stands in tools/ as pure functions `(grid, stroke) -> change`; how it is drawn in gestures/.

import { stampsFor } from "./stamps.js";

/** Sizes of the brush in cells. */
export const SIZES = [1, 2, 3, 4, 6, 8, 10, 13, 16, 20, 25, 32, 40, 50, 64, 80];

/** `sized`: the size of the brush matters; `held`: one presses at one end and lets go at another. */
export const TOOLS = [
  { name: "brush", key: "B", group: "free", sized: true },
  { name: "eraser", key: "E", group: "free", sized: true },
  { name: "line", key: "L", group: "shapes", sized: true, held: true },
  { name: "rectangle", key: "R", group: "shapes", held: true },
  { name: "ellipse", key: "O", group: "shapes", held: true },
  { name: "polygon", key: "P", group: "shapes" },
  { name: "stamp", key: "S", group: "shapes", sized: true, held: true },
  { name: "fill", key: "F", group: "areas" },
  { name: "eyedropper", key: "I", group: "areas" },
  { name: "move", key: "M", group: "areas", held: true },
];

/** Those that children get. */
export const KIDS_TOOLS = ["brush", "eraser", "stamp", "fill"];

/** Those that the page shows now: few for children, and stamps only where there are some. */
export function toolsFor({ kids, labels }) {
  const isOffered = ({ name }) =>
    (!kids || KIDS_TOOLS.includes(name)) && (name !== "stamp" || stampsFor(labels).length > 0);
  return TOOLS.filter(isOffered);
}

export function toolNamed(tool) {
  return TOOLS.find(({ name }) => name === tool);
}
