// A doodle and its look in the part of an address behind the "#", which browsers keep to themselves: no
// server sees it. Whoever opens a link trusts nothing in it, so everything read is checked.

import { fromBase64, toBase64 } from "./base64.js";
import { doodleToPng, readDoodleFile, unpackDoodle } from "./doodle_file.js";
import { isEmpty } from "./grid.js";
import { AUTO } from "./looks.js";
import { Problem } from "./problem.js";

// What goes through chat programs in one piece; it also bounds what a crafted PNG can unpack to (25 MB).
const MOST_CHARACTERS = 32000;
const MOST_CELLS = 2 ** 20;
const MOST_NUMBERS = 1024;
// What the service takes.
const LARGEST_SEED = 2 ** 32 - 1;
const LARGEST_NUMBER = 100;
const DECIMALS = 1e4; // The service gives a style in so fine steps; single precision keeps them.

/**
 * The fragment, without "#", for a doodle (a grid) in a look `{ seed, style, held }`. `model` names the
 * model: another gives the numbers of `held` another meaning. A style photo is left out, it is too large.
 * Throws a Problem (`link_too_long`).
 */
export function writeLink(grid, labels, { seed, style, held }, model) {
  const png = doodleToPng(grid, labels.filter(({ id }) => grid.cells.includes(id)), { palette: false });
  const fields = new URLSearchParams({ doodle: toUrl(png) });
  if (seed !== null) fields.set("seed", seed);
  if (style.kind === "named") fields.set("style", style.name);
  else if (held) {
    fields.set("light", toUrl(new Uint8Array(Float32Array.from(held).buffer)));
    fields.set("model", model);
  }
  const text = fields.toString();
  if (text.length > MOST_CHARACTERS) throw new Problem("link_too_long");
  return text;
}

/**
 * What a fragment holds: `{ grid, look }`, the grid of this size and these labels. Throws a Problem
 * (`link_broken`) for any that is damaged or none of ours.
 */
export function readLink(text, labels, size, model) {
  try {
    check(text.length <= MOST_CHARACTERS);
    const fields = new URLSearchParams(text);
    const bytes = fromUrl(fields.get("doodle"));
    checkSize(bytes);
    const grid = unpackDoodle(readDoodleFile(bytes, labels), labels, size);
    check(!isEmpty(grid));
    return { grid, look: readLook(fields, model) };
  } catch {
    throw new Problem("link_broken");
  }
}

function readLook(fields, model) {
  const seed = fields.has("seed") ? Number(fields.get("seed")) : null;
  check(seed === null || (Number.isInteger(seed) && seed >= 0 && seed <= LARGEST_SEED));
  const name = fields.get("style");
  const style = name ? { kind: "named", name } : AUTO;
  const light = fields.get("light");
  return { seed, style, held: light && fields.get("model") === model ? readLight(light) : null };
}

function readLight(text) {
  const numbers = [...new Float32Array(fromUrl(text).buffer)];
  check(numbers.length > 0 && numbers.length <= MOST_NUMBERS);
  check(numbers.every((number) => Math.abs(number) <= LARGEST_NUMBER));
  return numbers.map((number) => Math.round(number * DECIMALS) / DECIMALS);
}

/** A PNG tells its size before anything is unpacked: in its first part, which must not come twice. */
function checkSize(bytes) {
  const view = new DataView(bytes.buffer);
  const text = String.fromCharCode(...bytes);
  check(text.startsWith("\x89PNG") && text.indexOf("IHDR") === 12 && text.lastIndexOf("IHDR") === 12);
  check(view.getUint32(16) * view.getUint32(20) <= MOST_CELLS);
}

function check(holds) {
  if (!holds) throw new Error("not a link of this page");
}

/** base64 in the letters that an address takes as they are. */
function toUrl(bytes) {
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function fromUrl(text) {
  return fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
}
