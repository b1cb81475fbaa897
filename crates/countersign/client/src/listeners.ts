// Who listens to the events of the session in this tab.

import type { SessionEvents } from "./state.js";

type Listener<Name extends keyof SessionEvents> = (event: SessionEvents[Name]) => void;

/** The listeners of one tab. */
export interface Listeners {
  readonly _on: <Name extends keyof SessionEvents>(name: Name, listener: Listener<Name>) => () => void;
  /** Tells them. Timers, the event stream and other tabs give the same warning: it is told once. */
  readonly _emit: <Name extends keyof SessionEvents>(name: Name, event: SessionEvents[Name]) => void;
}

export function createListeners(): Listeners {
  const all = new Set<{ name: string; listener: (event: never) => void }>();
  let warned = "";
  return {
    _on(name, listener) {
      const entry = { name, listener };
      all.add(entry);
      return () => {
        all.delete(entry);
      };
    },
    _emit(name, event) {
      if (name === "expiring") {
        const warning = JSON.stringify(event);
        if (warning === warned) return;
        warned = warning;
      }
      for (const entry of [...all]) if (entry.name === name) tell(entry.listener as Listener<typeof name>, event);
    },
  };
}

/** A listener that throws harms nobody else. */
export function tell<T>(listener: (value: T) => void, value: T): void {
  try {
    listener(value);
  } catch (error) {
    globalThis.reportError?.(error);
  }
}
