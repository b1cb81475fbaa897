// A value that can be looked at and followed, by the contract that Svelte, Vue and React's useSyncExternalStore share.

import { tell } from "./listeners.js";

/** A value over time. Neither function needs `this`. */
export interface Store<T> {
  /** The value now; the same object until it changes. */
  readonly get: () => T;
  /** Calls the listener at once, and again after each change, until the returned function is called. */
  readonly subscribe: (listener: (value: T) => void) => () => void;
}

/** @internal A store with the function that changes it. */
export function createStore<T>(value: T): Store<T> & { readonly _set: (value: T) => void } {
  const listeners = new Set<{ listener: (value: T) => void }>();
  return {
    get: () => value,
    _set(next) {
      value = next;
      // A listener may change the value again, or go: nobody is told of what is past.
      for (const entry of [...listeners]) if (value === next && listeners.has(entry)) tell(entry.listener, value);
    },
    subscribe(listener) {
      const entry = { listener };
      listeners.add(entry);
      tell(listener, value);
      return () => {
        listeners.delete(entry);
      };
    },
  };
}
