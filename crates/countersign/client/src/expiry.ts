// Warns by timer before a session ends, and asks the server when it should have ended: the browser ends none by itself.

import type { Core } from "./core.js";
import { renew } from "./refresh.js";
import type { Expiring } from "./state.js";

/** How long before an end it is told, in seconds. */
const AHEAD = 60;
/** Timers beyond 2^31 ms go off at once, and timers sleep with the machine: longer waits are looked at in between. */
const LONGEST = 3_600_000;

/** Keeps the timer of the session that this tab knows of. */
export interface Expiry {
  /** Looks at the session and the clock anew. */
  _arm(): void;
  _stop(): void;
}

export function createExpiry(core: Core): Expiry {
  let timer: unknown;
  let warned = 0;
  let busy = false;
  const stop = () => core._environment.clearTimeout(timer);

  function arm(): void {
    stop();
    const next = nextEnd(core);
    if (!next || busy) return;
    const due = next.at === warned ? next.at + 1 : next.at - AHEAD;
    const wait = Math.min((due - core._clock.now()) * 1000, LONGEST);
    timer = core._environment.setTimeout(() => (wait < LONGEST ? reached(next) : arm()), Math.max(wait, 0));
  }

  async function reached(next: Expiring): Promise<void> {
    const over = next.at === warned;
    if (over || next.kind === "idle") {
      busy = true;
      // Other tabs and devices may know of later activity. Where nobody can be asked, the warning is the safe thing.
      await renew(core, core._mark, true).catch(() => {});
      busy = false;
    }
    const now = nextEnd(core);
    if (!over && now?.at === next.at) {
      warned = next.at;
      core._tell("expiring", next);
    }
    if (!over || now?.at !== next.at) arm();
  }

  return { _arm: arm, _stop: stop };
}

/** Which end comes first. */
function nextEnd({ _session: session }: Core): Expiring | undefined {
  if (!session) return undefined;
  const { idle_expires_at: idle, expires_at: absolute } = session;
  const kind = idle < absolute ? "idle" : "absolute";
  const at = Math.min(idle, absolute);
  return Number.isFinite(at) ? { kind, at } : undefined;
}
