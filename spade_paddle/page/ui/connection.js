// Is the service there? Polls /healthz until it is, and again after a request found nobody.

import { Problem } from "./problem.js";

const POLL_MS = 1500;

export class Connection {
  /** `onReady` runs at the first contact and after every interruption. */
  constructor({ service, store, onReady, onReachable }) {
    this.service = service;
    this.store = store;
    this.onReady = onReady;
    this.onReachable = onReachable;
    this.timer = null;
  }

  /** Look now, and keep looking until the service is ready. */
  async check() {
    clearTimeout(this.timer);
    try {
      const reached = this.onReachable(); // At once: each answer may be long on its way.
      reached.catch(() => {}); // What health says is told first.
      const state = await this.service.health();
      await reached;
      this.store.set({ service: state });
      if (state === "ready") {
        this.settle();
        this.onReady();
        return;
      }
      this.store.set({ problem: new Problem("starting") });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.lost(error);
      return;
    }
    this.again();
  }

  /** An answer takes long: does the service hang? What is under way may still come. */
  async look() {
    try {
      await this.service.health();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.lost(error);
    }
  }

  /** A request failed because nobody answered. */
  lost(problem) {
    const states = { cors: "blocked", mixed_content: "blocked", starting: "starting" };
    this.store.set({ service: states[problem.code] || "away", problem });
    this.again();
  }

  again() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.check(), POLL_MS);
  }

  settle() {
    if (isConnectionProblem(this.store.get().problem)) this.store.set({ problem: null });
  }
}

/** Problems that end by themselves when the service is back. */
export function isConnectionProblem(problem) {
  const codes = ["away", "away_elsewhere", "offline", "cors", "mixed_content", "starting", "no_labels"];
  return codes.includes(problem?.code) || (problem?.code === "not_found" && !problem.message);
}
