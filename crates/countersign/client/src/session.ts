// The session of this browser tab: what an application holds, and how its parts are wired.

import * as devices from "./devices.js";
import { login, logout } from "./enter.js";
import type { Environment } from "./environment.js";
import * as handoffs from "./handoff.js";
import { live } from "./live.js";
import { createCore } from "./make.js";
import type { Problem } from "./problem.js";
import { extend, restore } from "./refresh.js";
import type { SessionEvents, SessionObject, State } from "./state.js";
import type { Store } from "./store.js";

/** How to make a session. */
export interface SessionOptions {
  /** Where the endpoints are mounted: "/session" by default. A path of the page's origin, or an absolute address. */
  base?: string;
  /** Asks the person to log in again or more strongly; resolves to true where that was done, and the request is repeated once. */
  onStepUp?: (problem: Problem) => Promise<boolean>;
  /** The server's race window in seconds, where it does not tell. */
  raceWindow?: number;
  /** For tests: other parts of the outside world than the browser's. */
  environment?: Partial<Environment>;
}

/** What `Session.fetch` takes beyond what `fetch` takes. */
export type SessionInit = RequestInit & {
  /** The update is alone in this browser, has an `Idempotency-Key`, and is repeated until it is known to have happened. */
  exclusive?: boolean;
  /** The request is polling and no activity of a person. */
  passive?: boolean;
};

/** This browser's session. No function of it needs `this`. */
export interface Session {
  /** Where the session stands, to look at and to follow. */
  readonly current: Store<State>;
  /** The first state that the server told, or "offline" where it is out of reach. Never rejects. */
  readonly ready: Promise<State>;
  /**
   * Like `fetch`, with the session: never throws for a status. To other origins, nothing of the session is sent. Where
   * somebody else has logged in in another tab before it could be sent, it is not sent, and fails with an `AbortError`.
   */
  fetch(input: RequestInfo | URL, init?: SessionInit): Promise<Response>;
  /** Logs in at the application's own endpoint. Throws the Problem where it is refused. */
  login(url: string, body: object): Promise<SessionObject>;
  /** Ends one of the person's own sessions and takes its seat, after `sessions-limit` with a `choice`. */
  admit(choice: string, end: string): Promise<SessionObject>;
  /** Ends this session. Throws where the server is out of reach: the session then goes on. */
  logout(): Promise<void>;
  /** Says that the person is there: puts off the idle end. */
  extend(): Promise<SessionObject>;
  /** The person's live sessions. */
  list(): Promise<SessionObject[]>;
  /** Ends one of them. */
  end(id: string): Promise<void>;
  /** Ends all but this one; how many there were. */
  endOthers(): Promise<number>;
  /** A one-time code to continue on another device. `expiresAt` is Unix seconds of the server's clock. */
  handoff(): Promise<{ code: string; expiresAt: number }>;
  /** Asks whose session a handoff code continues; changes nothing. */
  redeem(code: string): Promise<{ subject: string; tenant?: string; device?: string }>;
  /** Continues the session of another device, after the person has confirmed whose it is. */
  redeem(code: string, confirm: string): Promise<SessionObject>;
  /** Calls the listener at each such event, in whichever tab it came up, until the returned function is called. */
  on<Name extends keyof SessionEvents>(name: Name, listener: (event: SessionEvents[Name]) => void): () => void;
  /** The server's clock, estimated: Unix seconds. */
  now(): number;
  /** Lets go of locks, timers, channel and stream. The session itself goes on. */
  close(): void;
}

/** The session of this browser. One for each page is enough. */
export function createSession(options: SessionOptions = {}): Session {
  const core = createCore(options);
  const close = live(core);
  const ready = restore(core).catch(() => {}).then(core._store.get);
  core._ready = ready;
  return {
    current: core._store,
    ready,
    fetch: core._fetch,
    login: (url, body) => login(core, url, body),
    admit: (choice, end) => core._enter("/admit", { choice, end }),
    logout: () => logout(core),
    extend: () => extend(core),
    list: () => devices.list(core),
    end: (id) => devices.end(core, id),
    endOthers: () => devices.endOthers(core),
    handoff: () => handoffs.handoff(core),
    redeem: ((code: string, confirm?: string) => handoffs.redeem(core, code, confirm!)) as Session["redeem"],
    on: core._listeners._on as Session["on"],
    now: core._clock.now,
    close,
  };
}
