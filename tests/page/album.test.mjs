// Promises of the list of kept pictures; run with `node --test`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./helpers.mjs";

const { MOST, MOST_STARRED, hasStarLeft, withEntry, withStar, without } = await load("album_list.js");

const entry = (when, more = {}) => ({
  ...{ id: `id-${when}`, when, seed: when, style: { kind: "auto" }, starred: false },
  ...{ doodle: { cells: Uint8Array.of(1, 2) }, ...more },
});
const filled = (count, more) => Array.from({ length: count }, (_, i) => entry(count - i, more));
const whens = (entries) => entries.map(({ when }) => when);

test("the newest comes first, and the oldest goes when the album is full", () => {
  const entries = withEntry(filled(MOST), entry(MOST + 1));
  assert.deepEqual(whens(entries), whens(filled(MOST + 1)).slice(0, MOST));
});

test("a picture that is put back stands where it stood", () => {
  assert.deepEqual(whens(withEntry(without(filled(5), "id-3"), entry(3))), [5, 4, 3, 2, 1]);
});

test("one with a star stays, the oldest without one goes", () => {
  const entries = withEntry(withStar(filled(MOST), "id-1", true), entry(MOST + 1));
  assert.equal(entries.length, MOST);
  assert.ok(entries.some(({ id }) => id === "id-1"));
  assert.ok(!entries.some(({ id }) => id === "id-2"));
});

test("so many stars and no more, so that new pictures find a place", () => {
  assert.ok(MOST_STARRED < MOST);
  let entries = filled(MOST);
  for (const { id } of filled(MOST)) entries = withStar(entries, id, true);
  assert.equal(entries.filter(({ starred }) => starred).length, MOST_STARRED);
  assert.ok(!hasStarLeft(entries));
  assert.equal(withEntry(entries, entry(MOST + 1))[0].when, MOST + 1);
  const put = withEntry(entries, entry(MOST + 2, { starred: true }));
  assert.equal(put.filter(({ starred }) => starred).length, MOST_STARRED);
  assert.ok(hasStarLeft(withStar(entries, entries[0].id, false)));
});

test("the same picture once more takes the place and the star of the one before", () => {
  const entries = withEntry([entry(1, { starred: true })], entry(2, { seed: 1 }));
  assert.deepEqual(entries.map(({ id, starred }) => [id, starred]), [["id-2", true]]);
});

test("a star for what another tab has deleted brings nothing back", () => {
  assert.deepEqual(withStar([], "id-1", true), []);
});
