// Login in its forms, and logout.

import type { Core } from "./core.js";
import { isCode } from "./problem.js";
import { catchUp, exchange, insist, take } from "./refresh.js";
import { leave, remainWho, show, who } from "./standing.js";
import type { SessionObject } from "./state.js";
import { ask } from "./wire.js";

/** Logs in. A lost answer is asked for again under the same key, and costs no second seat. */
export function enter(core: Core, url: string, body: object): Promise<SessionObject> {
  const headers = { "Idempotency-Key": core._environment.uniqueKey() };
  const asked = who(core);
  return core._turns("exclusive", async () => {
    await catchUp(core);
    remainWho(core, asked);
    try {
      const answer = await exchange(core, url, false, headers, body);
      await take(core, answer);
      return answer.session;
    } catch (error) {
      if (isCode(error, "sessions-limit") && !core._session) show(core, "limit-reached", { session: null, problem: error });
      throw error;
    }
  });
}

/** Logs in at the application's endpoint. Passwords and tokens stay at the session's origin. */
export async function login(core: Core, url: string, body: object): Promise<SessionObject> {
  const { href, origin } = new URL(url, core._environment.location());
  if (origin !== core._origin) throw new TypeError("Login elsewhere");
  return enter(core, href, body);
}

/** Ends the browser's session, in all tabs. */
export function logout(core: Core): Promise<void> {
  return core._turns("exclusive", async () => {
    await insist(core, () => ask(core, "POST", `${core._base}/logout`));
    const before = core._session;
    leave(core);
    core._marks._drop();
    if (before) core._tabs._say({ is: "over", id: before.id, reason: "logout" });
  });
}
