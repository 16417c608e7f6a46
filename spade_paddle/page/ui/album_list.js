// The list of kept pictures, the newest first, and what may happen to it. Pure functions: the album does
// the same to what is on the screen and to what is on the disk, where other tabs have their pictures, too.

export const MOST = 24;
// Fewer than there is room for, so that new pictures always find a place.
export const MOST_STARRED = 12;

/** With one more picture. The one that looks the same gives way, and leaves its star. */
export function withEntry(entries, entry) {
  const others = entries.filter((other) => !isSame(other, entry));
  const starred = [entry, ...entries].some((one) => one.starred && isSame(one, entry));
  const sorted = [{ ...entry, starred: starred && hasStarLeft(others) }, ...others];
  return trimmed(sorted.sort((a, b) => b.when - a.when));
}

export function without(entries, id) {
  return entries.filter((entry) => entry.id !== id);
}

/** With a star or without one; unchanged where no star is left. */
export function withStar(entries, id, starred) {
  if (starred && !hasStarLeft(entries)) return entries;
  return entries.map((entry) => (entry.id === id ? { ...entry, starred } : entry));
}

export function hasStarLeft(entries) {
  return entries.filter((entry) => entry.starred).length < MOST_STARRED;
}

/** Whether two pictures come from the same doodle in the same look. */
export function isSame(a, b) {
  return (
    a.seed === b.seed &&
    (a.edges ?? null) === (b.edges ?? null) && // Older entries have none.
    JSON.stringify(a.style) === JSON.stringify(b.style) &&
    a.doodle.cells.length === b.doodle.cells.length &&
    a.doodle.cells.every((id, index) => id === b.doodle.cells[index])
  );
}

/** Of those without a star, the oldest go. */
function trimmed(entries) {
  let room = MOST - entries.filter((entry) => entry.starred).length;
  return entries.filter((entry) => {
    if (!entry.starred) room -= 1;
    return entry.starred || room >= 0;
  });
}
