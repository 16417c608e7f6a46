// Turns doodles into pictures, one after the other: while somebody draws, each is of the doodle as it is
// when the one before is shown. Says what is going on through the store.

import { isConnectionProblem } from "./connection.js";
import { doubleGrid, isEmpty } from "./grid.js";
import { lookOf } from "./looks.js";
import { Problem } from "./problem.js";

const PAUSE_MS = 150; // A tap is painted once, not in the middle; and the service gets its breath.
const REST_MS = 600; // Who draws no more for so long has time for a larger picture.
const SLOW_AFTER_MS = 300;
const HANGING_MS = 5000;
const GIVE_UP_MS = 120000;

export class Generator {
  /**
   * `doodle()` gives the grid of now, `look()` how it shall look; `onShown(picture, { wanted })`
   * hears of a picture on the screen, `onEnlarged(picture)` that it is now twice as large,
   * `onLost(problem)` that nobody answers, `onSlow()` every few seconds of a long wait.
   */
  constructor({ service, store, doodle, look, onShown, onEnlarged, onLost, onSlow }) {
    this.service = service;
    this.store = store;
    this.doodle = doodle;
    this.look = look;
    this.onShown = onShown;
    this.onEnlarged = onEnlarged;
    this.onLost = onLost;
    this.onSlow = onSlow;
    this.run = null;
    this.pause = null;
    this.rest = null;
    this.enlarging = null; // Aborts the larger picture under way.
    this.again = false; // The doodle has changed since the one under way was sent.
    this.owed = false; // A picture was asked for while nobody answered.
  }

  /** The doodle changed: paint it soon, or once the picture under way is shown. */
  soon() {
    this.stopEnlarging();
    if (this.run) this.again = true;
    else this.pause ??= setTimeout(() => this.now(), PAUSE_MS);
  }

  /** Forget what is planned and under way. */
  stop() {
    this.stopEnlarging();
    clearTimeout(this.pause);
    this.pause = null;
    this.again = false;
    if (!this.run) return;
    const { run } = this;
    this.end(run);
    run.controller.abort();
  }

  /** Paint the doodle as it is; `wanted`: somebody asked for just this picture. */
  async now({ wanted = false } = {}) {
    this.stop();
    this.owed = false;
    const grid = this.doodle();
    if (!grid) return;
    if (isEmpty(grid)) {
      this.store.set({ problem: new Problem("nothing_painted") });
      return;
    }
    const run = this.begin(wanted);
    const { seed, style } = this.store.get();
    const look = this.look();
    try {
      const { signal } = run.controller;
      // What is made on the way is looked at; files.js saves it as it would have been.
      const format = wanted ? "png" : "jpeg";
      const painted = await this.service.paint(grid, look, { signal, format });
      const styleVector = painted.styleVector ?? look.styleVector;
      const { edges, turn } = look;
      await this.show(run, { ...painted, grid, seed, style, styleVector, edges, turn });
    } catch (error) {
      this.failed(run, error);
    }
  }

  begin(wanted) {
    const run = { controller: new AbortController(), timedOut: false, wanted };
    this.run = run;
    run.slow = setTimeout(() => this.store.set({ slow: true }), SLOW_AFTER_MS);
    run.look = setInterval(() => this.onSlow(), HANGING_MS);
    run.limit = setTimeout(() => {
      run.timedOut = true;
      run.controller.abort();
    }, GIVE_UP_MS);
    this.store.set({ painting: true, stale: false });
    return run;
  }

  async show(run, picture) {
    const url = await decodedUrl(picture.blob);
    if (run !== this.run) {
      URL.revokeObjectURL(url);
      return;
    }
    this.end(run);
    this.put({ ...picture, id: crypto.getRandomValues(new Uint32Array(2)).join("-"), when: Date.now(), url });
    this.onShown(this.store.get().picture, run);
    if (this.again) this.soon();
    else if (this.store.get().hasLarge) this.rest = setTimeout(() => this.enlarge(), REST_MS);
  }

  /** Paint the picture on the screen once more, at twice its size; where that fails, it stays. */
  async enlarge() {
    const { picture } = this.store.get();
    const controller = new AbortController();
    this.enlarging = controller;
    const { signal } = controller;
    try {
      const grid = doubleGrid(picture.grid);
      const { format } = picture;
      const { blob, format: came } = await this.service.paint(grid, lookOf(picture), { signal, format });
      const url = await decodedUrl(blob);
      if (signal.aborted) {
        URL.revokeObjectURL(url);
        return;
      }
      this.put({ ...picture, blob, format: came, url, isLarge: true });
      this.onEnlarged(this.store.get().picture);
    } catch (error) {
      if (error.name !== "AbortError" && !(error instanceof Problem)) throw error;
    }
  }

  /** Forget the larger picture that is planned or under way. */
  stopEnlarging() {
    clearTimeout(this.rest);
    this.enlarging?.abort();
  }

  /** Put a picture on the screen; the one before stays under it while it fades in. */
  put(picture) {
    const { picture: shown, previous } = this.store.get();
    if (previous) URL.revokeObjectURL(previous.url);
    this.store.set({ picture, previous: shown, problem: null });
  }

  end(run) {
    clearTimeout(run.slow);
    clearInterval(run.look);
    clearTimeout(run.limit);
    this.run = null;
    this.store.set({ painting: false, slow: false });
  }

  failed(run, error) {
    if (run !== this.run) return; // A newer doodle took its place.
    this.end(run);
    this.store.set({ stale: true });
    const problem = toProblem(run, error);
    if (isConnectionProblem(problem)) {
      this.owed = true;
      this.onLost(problem);
    } else if (problem.code === "busy") {
      this.retryLater(run, problem);
    } else {
      this.store.set({ problem });
    }
  }

  retryLater(run, problem) {
    const seconds = Math.min(10, Math.max(1, problem.retryAfter ?? 2));
    problem.details = { ...problem.details, seconds };
    this.store.set({ problem });
    this.pause = setTimeout(() => this.now(run), seconds * 1000);
  }
}

function toProblem(run, error) {
  if (run.timedOut) return new Problem("timeout");
  if (error instanceof Problem) return error;
  throw error; // A mistake of ours: it belongs in the console.
}

/** An address for a picture that can be shown at once. */
async function decodedUrl(blob) {
  const image = new Image();
  image.src = URL.createObjectURL(blob);
  try {
    await image.decode();
  } catch {
    URL.revokeObjectURL(image.src);
    throw new Problem("bad_answer");
  }
  return image.src;
}
