// Who has renewed the browser's session last: each tab can see it by the name of a lock that the renewing tab holds.
// Unlike a message, it is there before the turn is given up.

import type { Environment } from "./environment.js";
import type { SessionObject } from "./state.js";

/** The marks of all tabs. */
export interface Marks {
  /** The newest that a tab holds: a number that rises with each renewal and login of this browser; 0 where there is none. */
  _newest(): Promise<number>;
  /** Holds a new one in place of this tab's last. */
  _hold(number: number, session: SessionObject): Promise<void>;
  /** Lets go of it: another tab holds a newer one, or this page goes. */
  _drop(): void;
}

export function createMarks({ locks }: Environment, lockName: string): Marks {
  const prefix = `${lockName}:at:`;
  let drop = () => {};
  return {
    async _newest() {
      const { held = [] } = (await locks?.query().catch(() => undefined)) ?? {};
      const numbers = held.map(({ name = "" }) => (name.startsWith(prefix) && parseInt(name.slice(prefix.length))) || 0);
      return Math.max(0, ...numbers);
    },
    async _hold(number, session) {
      const name = `${prefix}${number}:${session.id}:${session.access_expires_at}`;
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
