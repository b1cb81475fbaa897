// Everything that a tab knows and can do, before it has begun.

import { createClock } from "./clock.js";
import type { Core } from "./core.js";
import { enter } from "./enter.js";
import { browserEnvironment } from "./environment.js";
import { createListeners } from "./listeners.js";
import { createMarks } from "./marks.js";
import { createAlarm } from "./patience.js";
import { over } from "./refresh.js";
import { sessionFetch } from "./send.js";
import type { SessionOptions } from "./session.js";
import { hear } from "./standing.js";
import type { State } from "./state.js";
import { createStore } from "./store.js";
import { createTabs } from "./tabs.js";
import { createTurns } from "./turns.js";
import { read } from "./wire.js";

/** In seconds, until the server has told its own. */
const RACE_WINDOW = 60;

export function createCore(options: SessionOptions): Core {
  const environment = { ...browserEnvironment(), ...options.environment };
  const { origin, pathname } = new URL(options.base ?? "/session", environment.location());
  const base = origin + pathname.replace(/\/$/, "");
  const lockName = `countersign:${base}`;
  const core: Core = {
    _origin: origin,
    _base: base,
    _lockName: lockName,
    _environment: environment,
    _clock: createClock(environment),
    _store: createStore<State>({ status: "unknown" }),
    // An exclusive update may hold its turn for one window, and others may wait before it.
    _turns: createTurns(environment, lockName, () => core._raceWindow * 3000),
    _marks: createMarks(environment, lockName),
    _tabs: createTabs(environment, lockName, (message) => hear(core, message)),
    _listeners: createListeners(),
    _onStepUp: options.onStepUp,
    _raceWindow: options.raceWindow || RACE_WINDOW,
    _session: null,
    _mark: 0,
    _token: null,
    _running: new Map(),
    _failures: 0,
    _quietFor: 0,
    _hush: createAlarm(environment),
    _gone: new AbortController(),
    _fetch: (input, init) => sessionFetch(core, input, init),
    _call: async (method, path) => read(await core._fetch(base + path, { method, cache: "no-store" })),
    _enter: (path, body) => enter(core, base + path, body),
    _over: (id, reason) => over(core, id, reason),
    _emit(name, event) {
      if ("at" in event) {
        if (core._warned === event.at) return;
        core._warned = event.at;
      }
      core._listeners._emit(name, () => event);
    },
    _tell(name, event) {
      core._emit(name, event);
      core._tabs._say({ is: "event", id: core._session?.id, name, event });
    },
  };
  return core;
}
