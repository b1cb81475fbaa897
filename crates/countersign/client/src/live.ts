// What happens to a page (it is hidden, kept aside, brought back, goes offline), and what the session makes of it.

import type { Core } from "./core.js";
import { followEvents } from "./events.js";
import { createExpiry } from "./expiry.js";
import { createRecovery } from "./recover.js";
import { restore } from "./refresh.js";
import { troubled } from "./standing.js";

/** Brings a session to life, until the returned function is called. */
export function live(core: Core): () => void {
  const { _environment: environment, _store: store, _tabs: tabs, _marks: marks } = core;
  const armExpiry = createExpiry(core);
  const armRecovery = createRecovery(core);

  function sleep(): void {
    core._gone.abort();
    marks._drop();
    tabs._close();
    wake();
  }

  /** Timers slept with the machine, and backoff ends when things look up. */
  function wake(): void {
    armExpiry();
    armRecovery(true);
  }

  tabs._open();
  const ends = [
    store.subscribe(() => {
      armRecovery();
      armExpiry();
    }),
    environment.on("online", wake),
    environment.on("visibilitychange", wake),
    environment.on("offline", () => troubled(core, {})),
    environment.on("pagehide", ({ persisted }) => persisted && sleep()),
    environment.on("pageshow", ({ persisted }) => {
      if (!persisted) return;
      core._gone = new AbortController();
      tabs._open();
      restore(core).catch(wake);
    }),
    followEvents(core),
    sleep,
  ];
  return () => ends.forEach((end) => end());
}
