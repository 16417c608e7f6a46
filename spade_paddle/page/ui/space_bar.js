// Whether the space bar is held over the board: then the mouse pans.

import { listen } from "./pointer.js";

export class SpaceBar {
  constructor(board) {
    this.board = board;
    this.held = false;
    this.panned = false; // Since it was pressed.
  }

  /** Returns how to stop listening. */
  start() {
    return listen(window, {
      keydown: (event) => event.key === " " && this.down(event),
      keyup: (event) => event.key === " " && this.hold(false),
      blur: () => this.hold(false),
    });
  }

  down(event) {
    const onPage = event.target === document.body;
    if (!this.board.matches(":hover")) return;
    if (onPage) event.preventDefault(); // Else the page scrolls.
    if (event.repeat) return;
    this.panned = false;
    this.hold(true);
  }

  hold(held) {
    this.held = held;
    this.board.classList.toggle("can-pan", held);
  }
}
