// The page's state: one plain object; components draw themselves again when it changes.

import { useEffect, useState } from "./vendor/preact-hooks.js";

export function createStore(initial) {
  let state = initial;
  const listeners = new Set();
  return {
    get: () => state,
    set(patch) {
      state = { ...state, ...patch };
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function useStore(store) {
  const [, redraw] = useState(0);
  useEffect(() => {
    const bump = () => redraw((count) => count + 1);
    bump(); // The state may have changed between drawing and subscribing.
    return store.subscribe(bump);
  }, [store]);
  return store.get();
}
