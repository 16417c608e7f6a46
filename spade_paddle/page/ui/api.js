// Talking to the painting service. Every failure becomes a Problem with a stable code.

import { fromBase64, toBase64 } from "./base64.js";
import { idsToPng } from "./doodle_file.js";
import { withoutGaps } from "./grid.js";
import { Problem } from "./problem.js";

const PAINT_PATH = "/predict/gaugan_doodle";
const ANNOTATE_PATH = "/annotate";
const HEALTH_MS = 3000;
// From this share on that is painted, the rest is taken for gaps.
const FILLED_FROM = 0.5;
// Codes for answers that are not from the service's own code (a proxy, PaddleHub itself).
const CODE_OF_STATUS = { 401: "unauthorized", 404: "not_found", 405: "method_not_allowed",
  413: "body_too_large", 415: "unsupported_media_type", 503: "busy" };

/**
 * Where the service is: `base`, "" for where the page came from. The page's own list of addresses (its meta
 * element) is trusted, the first is the usual one; so are those that the person has allowed. A link may name
 * another (`?api=`): that is `unknown`, to be asked about, because doodles, photos and a token go there.
 */
export function serviceOf(search, metaContent, allowed = []) {
  const own = (metaContent || "").split(/\s+/).map(addressOf).filter(Boolean);
  const wanted = addressOf(new URLSearchParams(search).get("api") || "");
  if (!wanted) return { base: own[0] ?? "", unknown: null };
  if ([...own, ...allowed].includes(wanted)) return { base: wanted, unknown: null };
  return { base: own[0] ?? "", unknown: wanted };
}

/** A web address without what does not name the service, or "". */
function addressOf(text) {
  try {
    const url = new URL(text);
    if (url.protocol !== "http:" && url.protocol !== "https:") return "";
    return url.origin + url.pathname.replace(/\/+$/, "");
  } catch {
    return "";
  }
}

export class Service {
  /** `token` is sent with every POST while it is not empty; `listed`: the page's own list of addresses. */
  constructor(base, pageLocation, token = "", listed = "") {
    this.base = base;
    this.page = pageLocation;
    this.token = token;
    this.listed = listed;
  }

  /** "ready" or "starting"; throws a Problem when the service cannot be reached. */
  async health() {
    const response = await this.fetchHealth();
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

  /**
   * Have a doodle painted: `{ blob, format, milliseconds, styleVector }`, the last null where the
   * model did not choose the style by itself.
   * `look`: `{ seed, styleName, stylePhoto, styleVector, edges }`, each null for "as the model likes", and
   * edges as they are drawn. `format`: "png", or "jpeg", which has a sixth of the bytes.
   */
  async paint(grid, look, { signal = undefined, format = "png" } = {}) {
    const sent = performance.now();
    // Slivers that the hand left out would become white lines; large blank areas stay what they are.
    const ids = idsToPng(withoutGaps(grid, { from: FILLED_FROM }));
    const request = {
      images: [toBase64(ids)],
      seed: look.seed,
      style_name: look.styleName,
      style: look.stylePhoto,
      style_vector: look.styleVector,
      edges: look.edges,
      format,
    };
    const result = await this.post(PAINT_PATH, request, signal);
    if (typeof result?.image !== "string") throw new Problem("bad_answer");
    const came = result.format === "jpeg" ? "jpeg" : "png";
    return {
      blob: toBlob(result.image, `image/${came}`),
      format: came,
      milliseconds: Math.round(result.milliseconds ?? performance.now() - sent),
      styleVector: Array.isArray(result.style_vector) ? result.style_vector : null,
    };
  }

  /** Have a photo (base64) turned into a doodle of this size: its cells. */
  async annotate(photo, { width, height }, signal) {
    const result = await this.post(ANNOTATE_PATH, { photo, width, height }, signal);
    try {
      const cells = fromBase64(result.data);
      if (cells.length === width * height) return cells;
    } catch {
      // Not base64: said below.
    }
    throw new Problem("bad_answer");
  }

  /** Send JSON without its empty values; the first of the `results`. */
  async post(path, content, signal) {
    const given = Object.entries(content).filter(([, value]) => value !== null && value !== undefined);
    const headers = { "Content-Type": "application/json" };
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    const body = JSON.stringify(Object.fromEntries(given));
    const response = await this.fetch(path, { method: "POST", headers, body, signal });
    return firstResult(response, await readJson(response));
  }

  /** It takes no time to answer; a service that takes long hangs. */
  async fetchHealth() {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), HEALTH_MS);
    try {
      return await this.fetch("/healthz", { cache: "no-store", signal: limit.signal });
    } catch (error) {
      throw error instanceof Problem ? error : new Problem("away");
    } finally {
      clearTimeout(timer);
    }
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
    const address = new URL(this.base || this.page.href);
    const local = /^(localhost|127\.|\[::1\])/.test(address.hostname);
    if (!navigator.onLine && !local) return new Problem("offline");
    if (!this.base || address.origin === this.page.origin) return new Problem("away");
    const details = { api: this.base, origin: this.page.origin };
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

function firstResult(response, body) {
  if (!response.ok || body === null || (body.status && body.status !== "000")) {
    throw problemOf(response, body);
  }
  // PaddleHub's zmq mode puts the results under `msg`.
  const results = Array.isArray(body.results) ? body.results : body.msg;
  if (!Array.isArray(results)) throw new Problem("bad_answer");
  return results[0];
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

function toBlob(text, type) {
  try {
    return new Blob([fromBase64(text)], { type });
  } catch {
    throw new Problem("bad_answer");
  }
}
