// Promises of words, keys, scenes and addresses; run with `node --test`.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const ui = new URL("../../spade_paddle/page/ui/", import.meta.url);
const en = (await import(new URL("words/en.js", ui))).default;
const zh = (await import(new URL("words/zh.js", ui))).default;
const { labelName, languageOf, problemSentence, translator } = await import(new URL("i18n.js", ui));
const { serviceOf } = await import(new URL("api.js", ui));
const { fromBase64, toBase64 } = await import(new URL("base64.js", ui));
const { Problem } = await import(new URL("problem.js", ui));
const { labelsForKids, paletteOrder } = await import(new URL("palette.js", ui));
const { makeScenes } = await import(new URL("scenes.js", ui));
const { keyOfPlace } = await import(new URL("keys.js", ui));
const { paletteBytes } = await import(new URL("view.js", ui));

// The codes of the service, from its own table.
const table = new URL("../../spade_paddle/serving/error_codes.py", import.meta.url);
const CODES = [...readFileSync(table, "utf8").matchAll(/ErrorCode\("(\w+)"/g)].map(([, c]) => c);
assert.ok(CODES.length > 15);
const NAMES = ["other", "sky", "cloud", "mountain", "snow", "tree", "grass", "water", "sand",
  "rock", "earth", "building", "flower"];
const labelsOf = (names) =>
  names.map((name, id) => ({ id, name_en: name, name_zh: `${name} zh`, color: "#102030" }));

test("both languages say everything, with the same blanks to fill", () => {
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
  const blanks = (text) => [...text.matchAll(/\{\w+\}/g)].map(([blank]) => blank).sort();
  for (const key of Object.keys(en)) {
    assert.ok(en[key].trim() && zh[key].trim(), key);
    assert.deepEqual(blanks(zh[key]), blanks(en[key]), key);
    const isChinese = /[\u4e00-\u9fff]/.test(zh[key]);
    assert.ok(isChinese || key === "other_language", `zh.${key} is not Chinese`);
  }
});

test("every word the page asks for exists, and none is left over", () => {
  const code = readdirSync(ui, { recursive: true })
    .filter((name) => name.endsWith(".js") && !/^(words|vendor)\b/.test(name))
    .map((name) => readFileSync(new URL(name, ui), "utf8"))
    .join("\n");
  const asked = [...code.matchAll(/\bt\("(\w+)"/g)].map(([, key]) => key);
  assert.ok(asked.length > 20);
  for (const key of asked) assert.ok(key in en, key);
  const byPrefix = /^(error|group|idea|scene|service|stamp|style)_/;
  for (const key of Object.keys(en)) {
    const used = asked.includes(key) || byPrefix.test(key) || code.includes(`"${key}"`);
    assert.ok(used, `${key} is never used`);
  }
});

test("every code of the contract has a sentence in both languages", () => {
  for (const code of CODES) {
    for (const language of ["en", "zh"]) {
      const sentence = problemSentence(new Problem(code, { message: "server" }), language);
      assert.notEqual(sentence, "server", code);
    }
  }
});

test("an unknown code falls back to the server's own sentence", () => {
  const problem = new Problem("brand_new", { message: "The moon is too bright." });
  assert.equal(problemSentence(problem, "zh"), "The moon is too bright.");
});

test("languages and label names", () => {
  assert.equal(languageOf("zh-TW"), "zh");
  assert.equal(languageOf("de-DE"), "en");
  assert.equal(languageOf(undefined), "en");
  assert.equal(translator("en")("milliseconds", { ms: 12 }), "12 ms");
  assert.equal(labelName({ name_en: "sky", name_zh: "天空" }, "zh"), "天空");
  assert.equal(labelName({ name_en: "sky", name_zh: "" }, "zh"), "sky");
});

test("scenes are full doodles of known labels at the native size", () => {
  const scenes = makeScenes(labelsOf(NAMES), 96, 64);
  assert.ok(scenes.length >= 6);
  for (const { name, grid } of scenes) {
    assert.ok(en[`scene_${name}`], name);
    assert.equal(grid.cells.length, 96 * 64);
    assert.ok(grid.cells.every((id) => id < NAMES.length), `${name} has holes`);
    assert.ok(new Set(grid.cells).size >= 3, name);
  }
});

test("scenes look labels up by name, and those with absent labels are left out", () => {
  const shuffled = [...NAMES].reverse();
  const first = makeScenes(labelsOf(NAMES), 32, 32)[0].grid.cells;
  const again = makeScenes(labelsOf(shuffled), 32, 32)[0].grid.cells;
  first.forEach((id, index) => assert.equal(NAMES[id], shuffled[again[index]]));
  const noSnow = makeScenes(labelsOf(NAMES.filter((name) => name !== "snow")), 32, 32);
  assert.ok(noSnow.length > 0 && noSnow.length < makeScenes(labelsOf(NAMES), 32, 32).length);
  assert.deepEqual(makeScenes(labelsOf(["cat", "dog"]), 32, 32), []);
});

test("the service is one of the page's own list, or one that the person has allowed", () => {
  const known = (base) => ({ base, unknown: null });
  assert.deepEqual(serviceOf("", "https://other:1"), known("https://other:1"));
  assert.deepEqual(serviceOf("", "https://a/ http://b/c/"), known("https://a"));
  assert.deepEqual(serviceOf("?api=http://b/c", "https://a/ http://b/c/"), known("http://b/c"));
  assert.deepEqual(serviceOf("?api=https://host:8866/", "", ["https://host:8866"]), known("https://host:8866"));
  assert.deepEqual(serviceOf("", ""), known(""));
  assert.deepEqual(serviceOf("?api=javascript:alert(1)", ""), known(""));
});

test("a service that only a link names is asked about, and not used before", () => {
  for (const meta of ["", "https://a"]) {
    const { base, unknown } = serviceOf("?api=http://host/path/", meta, ["http://host", "http://host/path2"]);
    assert.deepEqual([base, unknown], [meta, "http://host/path"]);
  }
});

test("keys of the palette", () => {
  assert.deepEqual([0, 8, 9, 10, 12, 20].map(keyOfPlace), ["1", "9", "0", "⇧1", "⇧3", ""]);
});

test("small conversions", () => {
  const bytes = Uint8Array.from({ length: 70000 }, (_, i) => i % 256);
  assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
  assert.deepEqual([...paletteBytes(labelsOf(["sky"])).subarray(0, 3)], [16, 32, 48]);
});

test("labels stand in groups, and the order of the keys is the order shown", () => {
  const groups = { sky: "sky", cloud: "sky", water: "water", sand: "land", tree: "plants", other: "other" };
  const labels = labelsOf(["other", "sand", "tree", "water", "cloud", "sky"]).map((label) => ({
    ...label,
    group: groups[label.name_en],
  }));
  const order = paletteOrder(labels).map((label) => label.name_en);
  assert.deepEqual(order, ["cloud", "sky", "water", "sand", "tree", "other"]);
});

test("a label set without groups keeps its order, with other at the end", () => {
  const order = paletteOrder(labelsOf(["other", "cat", "dog"])).map((label) => label.name_en);
  assert.deepEqual(order, ["cat", "dog", "other"]);
});

test("a group that the page does not know loses no label", () => {
  const labels = labelsOf(["cat", "sky"]).map((label, id) => ({ ...label, group: ["pets", "sky"][id] }));
  assert.deepEqual(new Set(paletteOrder(labels)), new Set(labels));
});

test("children get ten labels, of any label set", () => {
  const names = (labels) => labelsForKids(labels).map((label) => label.name_en);
  assert.deepEqual(names(labelsOf(NAMES)), ["sky", "cloud", "mountain", "snow", "tree",
    "grass", "flower", "water", "sand", "building"]);
  assert.deepEqual(names(labelsOf(["cat", "dog"])), ["cat", "dog"]);
});
