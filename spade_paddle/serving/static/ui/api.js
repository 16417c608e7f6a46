// Talking to the painting service. Every failure becomes a Problem with a stable code.

const MODULE_PATH = "/predict/gaugan_doodle";
// Codes for answers that are not from the service's own code (a proxy, PaddleHub itself).
const CODE_OF_STATUS = { 404: "not_found", 405: "method_not_allowed", 413: "body_too_large",
  415: "unsupported_media_type", 503: "busy" };

/** Something that went wrong, in a form that the page can say in the person's language. */
export class Problem extends Error {
  constructor(code, { message = "", details = {}, retryAfter = null } = {}) {
    super(message || code);
    this.code = code;
    this.details = details;
    this.retryAfter = retryAfter;
  }
}

/** Where the service is: `?api=`, else the meta element, else ("") where the page came from. */
export function serviceBase(search, metaContent) {
  const wanted = new URLSearchParams(search).get("api") || metaContent || "";
  try {
    const url = new URL(wanted);
    if (url.protocol !== "http:" && url.protocol !== "https:") return "";
    return url.origin + url.pathname.replace(/\/+$/, "");
  } catch {
    return "";
  }
}

export class Service {
  constructor(base, pageLocation) {
    this.base = base;
    this.page = pageLocation;
  }

  /** "ready" or "starting"; throws a Problem when the service cannot be reached. */
  async health() {
    const response = await this.fetch("/healthz", { cache: "no-store" });
    if (response.ok) return "ready";
    if (response.status === 503) return "starting";
    throw new Problem("not_found");
  }

  /** The label set, checked: `{ labels, model, ... }`. */
  async labels() {
    const response = await this.fetch("/labels", { cache: "no-store" });
    const body = await readJson(response);
    if (!response.ok) throw problemOf(response, body);
    if (!isLabelSet(body)) throw new Problem("no_labels");
    return body;
  }

  /** Have a doodle painted: `{ blob, format, milliseconds }`. */
  async paint(grid, signal) {
    const sent = performance.now();
    const doodle = { width: grid.width, height: grid.height, data: toBase64(grid.cells) };
    const response = await this.fetch(MODULE_PATH, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ labels: [doodle] }),
      signal,
    });
    const body = await readJson(response);
    const result = resultOf(response, body);
    const format = result.format === "jpeg" ? "jpeg" : "png";
    return {
      blob: toBlob(result.image, `image/${format}`),
      format,
      milliseconds: Math.round(result.milliseconds ?? performance.now() - sent),
    };
  }

  async fetch(path, options) {
    try {
      return await fetch((this.base || ".") + path, options);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw await this.whyUnreachable();
    }
  }

  /** Browsers do not say why a request failed; find out what can be found out. */
  async whyUnreachable() {
    if (!this.base || new URL(this.base).origin === this.page.origin) return new Problem("away");
    const details = { api: this.base, origin: this.page.origin };
    const local = /^(localhost|127\.|\[::1\])/.test(new URL(this.base).hostname);
    if (this.page.protocol === "https:" && this.base.startsWith("http:") && !local) {
      return new Problem("mixed_content", { details });
    }
    try {
      // An opaque answer tells only that somebody answers: then it is CORS that stopped us.
      await fetch(`${this.base}/healthz`, { mode: "no-cors", cache: "no-store" });
      return new Problem("cors", { details });
    } catch {
      return new Problem("away_elsewhere", { details });
    }
  }
}

async function readJson(response) {
  try {
    return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return null;
  }
}

function resultOf(response, body) {
  if (!response.ok || body === null || (body.status && body.status !== "000")) {
    throw problemOf(response, body);
  }
  // PaddleHub's zmq mode puts the results under `msg`.
  const results = Array.isArray(body.results) ? body.results : body.msg;
  const result = Array.isArray(results) ? results[0] : null;
  if (typeof result?.image !== "string") throw new Problem("bad_answer");
  return result;
}

function problemOf(response, body) {
  const message = typeof body?.msg === "string" ? body.msg : "";
  const retryAfter = Number(response.headers.get("Retry-After")) || null;
  const starting = body?.status === "starting" ? "starting" : null;
  const unnamed = response.ok && body === null ? "bad_answer" : message ? "unnamed" : "internal";
  const code = body?.code || starting || CODE_OF_STATUS[response.status] || unnamed;
  return new Problem(code, { message, details: body?.details || {}, retryAfter });
}

function isLabelSet(body) {
  return (
    Array.isArray(body?.labels) &&
    body.labels.length > 0 &&
    body.labels.every(
      (label) =>
        Number.isInteger(label.id) &&
        label.id >= 0 &&
        label.id < 255 &&
        typeof label.name_en === "string" &&
        /^#[0-9a-f]{6}$/i.test(label.color),
    ) &&
    Number.isInteger(body.model?.width) &&
    Number.isInteger(body.model?.height)
  );
}

/** Bytes as base64; in pieces, because a call takes only so many arguments. */
export function toBase64(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) {
    text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  }
  return btoa(text);
}

/** Base64 as bytes; throws when it is none. */
export function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function toBlob(text, type) {
  try {
    return new Blob([fromBase64(text)], { type });
  } catch {
    throw new Problem("bad_answer");
  }
}
