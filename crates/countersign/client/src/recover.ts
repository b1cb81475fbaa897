// Tries again in the background while the server is out of reach or has no seat, so that the session comes back by itself.

import { backoff } from "./backoff.js";
import type { Core } from "./core.js";
import { renew, restore } from "./refresh.js";
import { quiet } from "./standing.js";

/** Keeps trying. */
export interface Recovery {
  /** Looks at the state anew. */
  _arm(): void;
  /** Tries now: something has changed for the better. */
  _try(): void;
  _stop(): void;
}

export function createRecovery(core: Core): Recovery {
  const { _environment: environment } = core;
  let timer: unknown;
  const stop = () => environment.clearTimeout(timer);

  function arm(): void {
    stop();
    if (!core._failures || !environment.isVisible()) return;
    const wait = Math.max(backoff(core._failures, environment.random()), quiet(core));
    timer = environment.setTimeout(attempt, wait);
  }

  function attempt(): void {
    stop();
    const { status } = core._store.get();
    if (!core._failures && status !== "offline") return;
    // Nobody is known to be there, so it is no activity; but only who is active gets a seat.
    const passive = status !== "limit-reached";
    const again = core._session ? renew(core, core._mark, passive) : restore(core);
    again.catch(() => {}).finally(arm);
  }

  return { _arm: arm, _try: attempt, _stop: stop };
}
