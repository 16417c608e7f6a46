// Keyboard shortcuts of the whole page.

import { toolsFor } from "./tools.js";
import { STEP } from "./zoom.js";

const ZOOM_OF_KEY = { "+": STEP, "=": STEP, "-": 1 / STEP, w: null };
const TYPING = "textarea, select, [contenteditable], input:not([type=radio], [type=checkbox], [type=range])";
export const CLICKABLE = "button, a, summary, [role=button]";

/** The key that picks the label at this place of the palette: 1..9, 0, then with Shift. */
export function keyOfPlace(place) {
  const digit = String((place + 1) % 10);
  if (place < 10) return digit;
  return place < 20 ? `⇧${digit}` : "";
}

/** Act on shortcuts; `palette()` gives the labels in the order shown. */
export function listenToKeys(studio, palette) {
  addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target instanceof Element && event.target.closest(TYPING)) return;
    const action = actionOf(event, studio, palette);
    if (!action) return;
    event.preventDefault();
    action();
  });
}

function actionOf(event, studio, palette) {
  const key = event.key.toLowerCase();
  const { drawing, zoom } = studio;
  if (event.ctrlKey || event.metaKey) {
    if (key === "z") return () => (event.shiftKey ? drawing.redo() : drawing.undo());
    if (key === "y") return () => drawing.redo();
    return null;
  }
  const tool = toolsFor(studio.store.get()).find((one) => one.key.toLowerCase() === key);
  if (tool) return () => drawing.selectTool(tool.name);
  if (key in ZOOM_OF_KEY) return () => zoom.step(ZOOM_OF_KEY[key]);
  const { sizeIndex } = studio.store.get();
  if (key === "[") return () => studio.selectSize(sizeIndex - 1);
  if (key === "]") return () => studio.selectSize(sizeIndex + 1);
  if (key === "?") return () => studio.askForHelp(true);
  if (key === "escape") return () => drawing.cancel() && drawing.say("said_cancelled");
  if (key === "backspace") return () => drawing.back();
  // Enter on a button presses that button; else it finishes what is open, and then generates.
  if (key === "enter" && event.target.closest(CLICKABLE)) return null;
  if (key === "enter") return () => drawing.confirm() || studio.generate();
  if (key === "d" && studio.store.get().canVary) return () => studio.looks.roll();
  return labelAction(event, studio, palette);
}

function labelAction(event, studio, palette) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1];
  if (digit === undefined) return null;
  const place = ((Number(digit) + 9) % 10) + (event.shiftKey ? 10 : 0);
  const label = palette()[place];
  return label ? () => studio.selectLabel(label.id) : null;
}
