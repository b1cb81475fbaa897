// Tries again in the background while the server is out of reach or has no seat, so that the session comes back by itself.

import { backoff } from "./backoff.js";
import type { Core } from "./core.js";
import { createAlarm } from "./patience.js";
import { renew, restore } from "./refresh.js";

/** Keeps trying. What it returns looks at the state anew; `hopeful`: something has changed for the better, so try now. */
export function createRecovery(core: Core): (hopeful?: boolean) => void {
  const { _environment: environment } = core;
  const alarm = createAlarm(environment);

  function arm(hopeful?: boolean): void {
    alarm();
    if (core._gone.signal.aborted || !environment.isVisible() || !core._failures) return;
    const wait = hopeful ? 0 : Math.max(backoff(core._failures, environment.random()), core._quietFor);
    alarm(wait, () => {
      // Nobody is known to be there, so it is no activity; but only who is active gets a seat.
      const passive = core._store.get().status !== "limit-reached";
      (core._session ? renew(core, core._mark, passive) : restore(core)).catch(() => {}).finally(arm);
    });
  }

  return arm;
}
