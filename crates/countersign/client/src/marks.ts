// Who has renewed the browser's session last: each tab can see it by the name of a lock that the renewing tab holds.
// Unlike a message, it is there before the turn is given up.

import type { Environment } from "./environment.js";
import type { SessionObject } from "./state.js";

/** One renewal, login or logout of this browser: a number that rises with each, and the session after it, empty after a logout. */
export type Mark = readonly [number: number, id: string];

/** The marks of all tabs. */
export interface Marks {
  /** The newest that a tab holds; `[0, ""]` where there is none. */
  _newest(): Promise<Mark>;
  /** Holds a new one in place of this tab's last. */
  _hold(number: number, session: SessionObject | null): Promise<void>;
  /** Lets go of it: another tab holds a newer one, or this page goes. */
  _drop(): void;
}

export function createMarks({ locks }: Environment, lockName: string): Marks {
  const prefix = `${lockName}:at:`;
  let drop = () => {};
  return {
    async _newest() {
      const { held = [] } = (await locks?.query().catch(() => undefined)) ?? {};
      let newest: Mark = [0, ""];
      for (const { name = "" } of held) {
        const [number, id = ""] = name.startsWith(prefix) ? name.slice(prefix.length).split(":") : [];
        if (+number! > newest[0]) newest = [+number!, id];
      }
      return newest;
    },
    async _hold(number, session) {
      const name = `${prefix}${number}:${session ? `${session.id}:${session.access_expires_at}` : ""}`;
      const last = drop;
      await (locks && new Promise<unknown>((held) => {
        const holding = () => new Promise<void>((release) => held((drop = release)));
        locks.request(name, { mode: "shared" }, holding).catch(held);
      }));
      last();
    },
    _drop: () => drop(),
  };
}
