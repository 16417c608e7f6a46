// Two languages, one dictionary each; label names come from the service.

import en from "./words/en.js";
import zh from "./words/zh.js";

const DICTIONARIES = { en, zh };

/** `zh` for any Chinese browser, else `en`. */
export function languageOf(browserLanguage) {
  return /^zh\b/i.test(browserLanguage || "") ? "zh" : "en";
}

/** A function `t(key, values)`; `{name}` in a sentence is replaced by `values.name`. */
export function translator(language) {
  const words = DICTIONARIES[language];
  return (key, values = {}) =>
    (words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? "?"));
}

export function labelName(label, language) {
  return language === "zh" ? label.name_zh || label.name_en : label.name_en;
}

/** The sentence for a problem: ours where its code is known, else the server's English one. */
export function problemSentence(problem, language) {
  const key = `error_${problem.code}`;
  if (key in DICTIONARIES[language]) return translator(language)(key, problem.details);
  return problem.message || translator(language)("error_internal");
}
