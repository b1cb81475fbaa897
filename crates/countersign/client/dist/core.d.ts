import type { Clock } from "./clock.js";
import type { Environment } from "./environment.js";
import type { EndReason, SessionEvents, SessionObject, State } from "./state.js";
import type { Store } from "./store.js";
/** One browser tab's session. */
export interface Core {
    /** The absolute address under which the endpoints are mounted, without a slash at its end. */
    readonly _base: string;
    readonly _environment: Environment;
    readonly _clock: Clock;
    readonly _store: Store<State>;
    /** `Session.fetch`. */
    _fetch(input: RequestInfo | URL, init?: SessionInit): Promise<Response>;
    /** Calls a mounted endpoint ("/list") with the session, and reads its JSON. Throws a Problem for a refusal, a TypeError without a network. */
    _call<T>(method: string, path: string, body?: object): Promise<T>;
    /** A login in one of its forms: at a mounted endpoint ("/admit"), or at any address of this origin ("https://…/login"). */
    _enter(url: string, body: object): Promise<SessionObject>;
    /** The server told otherwise than by an answer to a request that the session with this id is over. */
    _over(id: string, reason?: EndReason): void;
    /** Tells the listeners of `Session.on` in all tabs. The same warning twice is told once. */
    _tell<Name extends keyof SessionEvents>(name: Name, event: SessionEvents[Name]): void;
}
/** What `Session.fetch` takes beyond what `fetch` takes. */
export type SessionInit = RequestInit & {
    /** The update is alone in this browser, has an `Idempotency-Key`, and is repeated until it is known to have happened. */
    exclusive?: boolean;
    /** The request is polling and no activity of a person. */
    passive?: boolean;
};
