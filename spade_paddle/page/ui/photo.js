// Photos, as they come from a camera, made small enough to send. A canvas may read them, other than
// doodles: a photo is none the worse for a changed bit.

import { Problem } from "./problem.js";

/** A photo (File or Blob) as base64 of a JPEG, at most `side` pixels wide and high. */
export async function photoToBase64(file, side) {
  const url = await redraw(file, side, 0.92);
  return url.slice(url.indexOf(",") + 1);
}

/** A very small copy as a `data:` address, to show. */
export function thumbnailOf(file) {
  return redraw(file, 96, 0.8);
}

async function redraw(file, side, quality) {
  let photo;
  try {
    photo = await createImageBitmap(file); // Upright: it follows the camera's mark.
  } catch {
    throw new Problem("photo_unreadable");
  }
  const scale = Math.min(1, side / Math.max(photo.width, photo.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(photo.width * scale));
  canvas.height = Math.max(1, Math.round(photo.height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#fff"; // What is transparent would become black in a JPEG.
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(photo, 0, 0, canvas.width, canvas.height);
  photo.close();
  return canvas.toDataURL("image/jpeg", quality);
}

/** A picture (Blob) at `times` its size, as a PNG Blob. */
export async function enlarge(blob, times) {
  const picture = await createImageBitmap(blob);
  const canvas = document.createElement("canvas");
  canvas.width = picture.width * times;
  canvas.height = picture.height * times;
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
