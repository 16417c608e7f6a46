// Colors of labels, written "#rrggbb" as the label set has them.

/** Red, green and blue, 0..255 each. */
export function rgbOf(color) {
  const value = Number.parseInt(color.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** Whether black text reads better than white on a color (WCAG luminance; then always 4.5:1). */
export function isLight(color) {
  const [r, g, b] = rgbOf(color).map((byte) => {
    const part = byte / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179;
}
