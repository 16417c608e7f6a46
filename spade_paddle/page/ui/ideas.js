// Ideas of what to paint, for children. A card only says its sentence; it never touches the doodle.

import { labelsForKids } from "./palette.js";

/** `name` for the dictionary; `needs`: labels by English name; `style`: the light that it tells of. */
export const IDEAS = [
  { name: "beach_sunset", needs: ["sky", "water", "sand"], style: "sunset" },
  { name: "house_lake", needs: ["building", "water", "grass"] },
  { name: "snowy_mountain", needs: ["sky", "mountain", "snow"] },
  { name: "island", needs: ["water", "sand", "tree"] },
  { name: "misty_forest", needs: ["tree", "grass"], style: "mist" },
  { name: "flowers", needs: ["sky", "grass", "flower"] },
  { name: "river", needs: ["grass", "water"] },
  { name: "clouds", needs: ["sky", "cloud"] },
  { name: "village", needs: ["building", "mountain"] },
  { name: "two_mountains", needs: ["mountain", "water"] },
  { name: "bright_sea", needs: ["sky", "water"], style: "bright" },
  { name: "winter", needs: ["snow", "tree"], style: "winter" },
  { name: "one_tree", needs: ["sky", "tree", "grass"] },
  { name: "garden", needs: ["building", "flower", "tree"] },
  { name: "mountain_sunset", needs: ["sky", "mountain"], style: "sunset" },
];

/** The ideas that can be painted with what the children's paint box has of these labels. */
export function ideasFor(labels) {
  const names = new Set(labelsForKids(labels).map((label) => label.name_en));
  return IDEAS.filter(({ needs }) => needs.every((name) => names.has(name)));
}
