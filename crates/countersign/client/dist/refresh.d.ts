import type { Core } from "./core.js";
import type { EndReason, SessionObject } from "./state.js";
import { type Ask } from "./wire.js";
/** An exchange under way, that others may wait for. */
export interface Renewal {
    _used: number;
    _passive: boolean;
    _done: Promise<void>;
}
/** The answer to a refresh, and to a login in all its forms. */
interface TokenResponse {
    session: SessionObject;
    token_type?: string;
    access_token?: string;
}
/** Renews the access token, unless this or another tab has done so since mark `used`. Throws what went wrong. */
export declare function renew(core: Core, used: number, passive?: boolean): Promise<void>;
/** The same for who has the turn already. Without `used`, whatever others did. */
export declare function renewAlone(core: Core, used?: number, passive?: boolean): Promise<void>;
/** Renews whatever others did, as an act of the person. */
export declare function extend(core: Core): Promise<SessionObject>;
/** Learns what another tab has done, where it holds a newer mark: from itself, or from the server. */
export declare function catchUp(core: Core): Promise<void>;
/** Asks the server which session this is. */
export declare function look(core: Core): Promise<void>;
/** Finds out who this browser is: at most two requests. Throws what went wrong. */
export declare function restore(core: Core): Promise<void>;
/** Sends a refresh, or a login in one of its forms, until it is answered or nobody would wait any longer. */
export declare function exchange(core: Core, path: string, options: Ask): Promise<TokenResponse>;
/** Repeats what may be repeated: after no answer, one that was not understood, or one that says so. */
export declare function insist<T>(core: Core, task: () => Promise<T>): Promise<T>;
/** Takes the answer to an exchange, and lets all tabs know. For who has the turn. */
export declare function take(core: Core, { session, token_type, access_token }: TokenResponse): Promise<void>;
/** A number above all others, also of tabs that are closed now. */
export declare function nextMark(core: Core): number;
/** The server told that a session is over. Its refresh token has the last word: it may be another session's by now. */
export declare function over(core: Core, id: string, reason?: EndReason): void;
export {};
