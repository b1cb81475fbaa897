// What the parts of the client share. Names with an underscore are shortened by the build and are nobody else's.

import type { Clock } from "./clock.js";
import type { Environment, Prover } from "./environment.js";
import type { Listeners } from "./listeners.js";
import type { Marks } from "./marks.js";
import type { Alarm } from "./patience.js";
import type { Problem } from "./problem.js";
import type { SessionInit } from "./session.js";
import type { EndReason, SessionEvents, SessionObject, State } from "./state.js";
import type { Store } from "./store.js";
import type { Tabs, Token } from "./tabs.js";
import type { Turns } from "./turns.js";

/** One browser tab's session. */
export interface Core {
  /** Where the session is; nothing of it goes anywhere else. */
  readonly _origin: string;
  /** The absolute address under which the endpoints are mounted, without a slash at its end. */
  readonly _base: string;
  /** What the names of all locks and channels begin with. */
  readonly _lockName: string;
  readonly _environment: Environment;
  readonly _clock: Clock;
  readonly _store: Store<State> & { readonly _set: (state: State) => void };
  readonly _turns: Turns;
  readonly _marks: Marks;
  readonly _tabs: Tabs;
  /** Those of `Session.on` in this tab. */
  readonly _listeners: Listeners;
  /** Tells them. Timers, the event stream and other tabs give the same warning: it is told once. */
  _emit<Name extends keyof SessionEvents>(name: Name, event: SessionEvents[Name]): void;
  /** The end that was warned of last. */
  _warned?: number | undefined;
  readonly _onStepUp: ((problem: Problem) => Promise<boolean>) | undefined;
  /** In seconds. */
  _raceWindow: number;

  /** The session that this tab knows of, and which renewal of it (a mark's number). */
  _session: SessionObject | null;
  _mark: number;
  /** When its access token is to be renewed, in Unix seconds of the server's clock. */
  _staleAt?: number | undefined;
  /** The access token, where a script holds it. */
  _token: Token | null;
  /** Makes proofs, once the server has asked for one; the nonce for the next. */
  _prover?: Prover;
  _nonce?: string | undefined;

  /** What is under way, by what it is; whoever wants the same waits for it. */
  readonly _running: Map<unknown, Promise<void>>;
  /** How often in a row the server was out of reach, and for what reason. */
  _failures: number;
  _trouble?: unknown;
  /** For how many milliseconds it asked to be left alone; 0 once they are over, which is this alarm's task. */
  _quietFor: number;
  readonly _hush: Alarm;
  /** Aborted when the page goes away. */
  _gone: AbortController;
  /** The first answer of the server. */
  _ready?: Promise<unknown>;

  /** `Session.fetch`. */
  _fetch(input: RequestInfo | URL, init?: SessionInit): Promise<Response>;

  /** Calls a mounted endpoint ("/list") with the session, and reads its JSON. Throws a Problem for a refusal, a TypeError without a network. */
  _call<T>(method: string, path: string): Promise<T>;

  /** A login in one of its forms at a mounted endpoint ("/admit"). */
  _enter(path: string, body: object): Promise<SessionObject>;

  /** The server told otherwise than by an answer to a request that the session with this id is over. */
  _over(id: string, reason?: EndReason): void;

  /** Tells the listeners of `Session.on` in all tabs. The same warning twice is told once. */
  _tell<Name extends keyof SessionEvents>(name: Name, event: SessionEvents[Name]): void;
}
