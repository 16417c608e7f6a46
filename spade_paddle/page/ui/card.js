// A card to pass on: the doodle beside the picture that it became, with the page's title below.

import { wholeRect } from "./grid.js";
import { GridView } from "./view.js";

const SIDE = 512; // The picture's shorter side on the card, at least.
const EDGE = 24;
const GAP = 12;
const TITLE = 60;
// As theme.css has them by day; a card is paper at night, too.
const [GROUND, INK] = ["#f5f2ea", "#22302c"];

/** Where the parts of a card lie, in pixels, for a picture of this size. */
export function cardLayout({ width, height }) {
  const scale = Math.max(1, Math.round(SIDE / Math.min(width, height)));
  const [across, down] = [width * scale, height * scale];
  return {
    doodle: { x: EDGE, y: EDGE, width: across, height: down },
    picture: { x: EDGE + across + GAP, y: EDGE, width: across, height: down },
    title: { x: EDGE, y: EDGE + down + TITLE / 2 },
    width: 2 * (across + EDGE) + GAP,
    height: EDGE + down + TITLE,
  };
}

/** The card as a PNG (Blob) of a shown picture (`{ grid, blob }`). */
export async function makeCard({ grid, blob }, labels, title) {
  const picture = await createImageBitmap(blob);
  const layout = cardLayout(picture);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [layout.width, layout.height];
  const context = canvas.getContext("2d");
  context.fillStyle = GROUND;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingEnabled = false; // A doodle's cells stay sharp.
  draw(context, drawDoodle(grid, labels), layout.doodle);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  draw(context, picture, layout.picture);
  picture.close();
  context.fillStyle = INK;
  const family = getComputedStyle(document.documentElement).getPropertyValue("--serif");
  context.font = `600 22px ${family}`;
  context.textBaseline = "middle";
  context.fillText(title, layout.title.x, layout.title.y);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

function drawDoodle(grid, labels) {
  const canvas = document.createElement("canvas");
  new GridView(canvas, grid, labels).draw(wholeRect(grid));
  return canvas;
}

function draw(context, image, { x, y, width, height }) {
  context.drawImage(image, x, y, width, height);
}
