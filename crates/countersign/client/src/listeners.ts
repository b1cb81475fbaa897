// Who listens in this tab, by the names of what they listen to.

type Listener = (value: never) => void;

/** The listeners of one tab. */
export interface Listeners {
  _on(name: string, listener: Listener): () => void;
  /** Tells them what `value` returns at that moment. A listener that throws harms nobody else. */
  _emit(name: string, value: () => unknown): void;
}

export function createListeners(): Listeners {
  const all = new Set<{ name: string; listener: Listener }>();
  return {
    _on(name, listener) {
      const entry = { name, listener };
      all.add(entry);
      return () => all.delete(entry);
    },
    _emit(name, value) {
      for (const entry of [...all]) if (entry.name === name && all.has(entry)) tell(entry.listener, value());
    },
  };
}

export function tell(listener: Listener, value: unknown): void {
  try {
    listener(value as never);
  } catch (error) {
    globalThis.reportError?.(error);
  }
}
