// Keyboard shortcuts of the whole page.

const TOOL_OF_KEY = { b: "brush", f: "fill", e: "eraser" };
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
    const action = actionOf(event, studio, palette);
    if (!action) return;
    event.preventDefault();
    action();
  });
}

function actionOf(event, studio, palette) {
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) {
    if (key === "z") return () => (event.shiftKey ? studio.redo() : studio.undo());
    if (key === "y") return () => studio.redo();
    return null;
  }
  if (key in TOOL_OF_KEY) return () => studio.selectTool(TOOL_OF_KEY[key]);
  const { sizeIndex } = studio.store.get();
  if (key === "[") return () => studio.selectSize(sizeIndex - 1);
  if (key === "]") return () => studio.selectSize(sizeIndex + 1);
  // Enter on a button presses that button.
  if (key === "enter") return event.target.closest(CLICKABLE) ? null : () => studio.generate();
  if (key === "d" && studio.store.get().canVary) return () => studio.looks.roll();
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1];
  if (digit === undefined) return null;
  const place = ((Number(digit) + 9) % 10) + (event.shiftKey ? 10 : 0);
  const label = palette()[place];
  return label ? () => studio.selectLabel(label.id) : null;
}
