// A value that can be looked at and followed, by the contract that Svelte, Vue and React's useSyncExternalStore share.

import { createListeners, tell } from "./listeners.js";

/** A value over time. Neither function needs `this`. */
export interface Store<T> {
  /** The value now; the same object until it changes. */
  readonly get: () => T;
  /** Calls the listener at once, and again after each change, until the returned function is called. */
  readonly subscribe: (listener: (value: T) => void) => () => void;
}

/** @internal A store with the function that changes it. A listener that changes it again lets nobody hear the past last. */
export function createStore<T>(value: T): Store<T> & { readonly _set: (value: T) => void } {
  const listeners = createListeners();
  return {
    get: () => value,
    _set(next) {
      value = next;
      listeners._emit("", () => value);
    },
    subscribe(listener) {
      tell(listener, value);
      return listeners._on("", listener);
    },
  };
}
