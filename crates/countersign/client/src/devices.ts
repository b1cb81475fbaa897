// The person's sessions on all devices: to look at, and to end.

import type { Core } from "./core.js";
import type { SessionObject } from "./state.js";

/** `Session.list`. */
export async function list(core: Core): Promise<SessionObject[]> {
  return (await core._call<{ sessions: SessionObject[] }>("GET", "/list")).sessions;
}

/** `Session.end`. */
export async function end(core: Core, id: string): Promise<void> {
  await core._call("DELETE", `/${encodeURIComponent(id)}`);
  // It may have been this one.
  core._over(id, "ended-by-user");
}

/** `Session.endOthers`. */
export async function endOthers(core: Core): Promise<number> {
  return (await core._call<{ ended: number }>("POST", "/logout-others")).ended;
}
