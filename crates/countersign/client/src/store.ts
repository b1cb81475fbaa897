// A value that can be looked at and followed, by the contract that Svelte, Vue and React's useSyncExternalStore share.

/** A value over time. Neither function needs `this`. */
export interface Store<T> {
  /** The value now; the same object until it changes. */
  readonly get: () => T;
  /** Calls the listener at once, and again after each change, until the returned function is called. */
  readonly subscribe: (listener: (value: T) => void) => () => void;
}

/** A store with the function that changes it. A listener that throws harms nobody else. */
export function createStore<T>(value: T): Store<T> & { readonly _set: (value: T) => void } {
  const listeners = new Set<(value: T) => void>();
  const tell = (listener: (value: T) => void) => {
    try {
      listener(value);
    } catch (error) {
      reportError(error);
    }
  };
  return {
    get: () => value,
    _set(next) {
      value = next;
      for (const listener of [...listeners]) tell(listener);
    },
    subscribe(listener) {
      // A listener that subscribes twice is told twice.
      const own = (now: T) => listener(now);
      listeners.add(own);
      tell(own);
      return () => {
        listeners.delete(own);
      };
    },
  };
}
