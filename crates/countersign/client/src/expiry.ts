// Warns by timer before a session ends, and asks the server when it should have ended: the browser ends none by itself.

import type { Core } from "./core.js";
import { createAlarm } from "./patience.js";
import { renew } from "./refresh.js";
import type { Expiring } from "./state.js";

/** How long before an end it is told, in seconds. */
const AHEAD = 60;
/** Timers beyond 2^31 ms go off at once, and timers sleep with the machine: longer waits are looked at in between. */
const LONGEST = 3_600_000;

/** Keeps the timer of the session that this tab knows of. What it returns looks at session and clock anew. */
export function createExpiry(core: Core): () => void {
  const alarm = createAlarm(core._environment);
  let warned = 0;
  let busy = false;

  function arm(): void {
    alarm();
    const next = nextEnd(core);
    if (!next || busy || core._gone.signal.aborted) return;
    const due = next.at === warned ? next.at + 1 : next.at - AHEAD;
    const wait = Math.min((due - core._clock.now()) * 1000, LONGEST);
    alarm(wait, () => (wait < LONGEST ? reached(next) : arm()));
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
    if (now?.at === next.at) {
      if (over) return;
      warned = next.at;
      core._tell("expiring", next);
    }
    arm();
  }

  return arm;
}

/** Which end comes first. */
function nextEnd({ _session: session }: Core): Expiring | undefined {
  if (!session) return undefined;
  const { idle_expires_at: idle, expires_at: absolute } = session;
  const kind = idle < absolute ? "idle" : "absolute";
  const at = Math.min(idle, absolute);
  return at > 0 ? { kind, at } : undefined;
}
