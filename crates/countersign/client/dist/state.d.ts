import type { Problem } from "./problem.js";
/** A session, as the server describes it. Instants are Unix seconds of the server's clock. */
export interface SessionObject {
    id: string;
    subject: string;
    tenant: string | null;
    started_at: number;
    /** The absolute end; nothing moves it. */
    expires_at: number;
    /** The end if nothing more is done with the session. */
    idle_expires_at: number;
    /** When its access token runs out; known of the session that asks only. */
    access_expires_at: number | null;
    /** When the person last proved who they are, and how (RFC 9470). */
    auth_time: number;
    amr: string[];
    /** Whether it is the session that asked. */
    current: boolean;
    last_activity: number;
    /** Whether it holds no seat of a sessions limit, because it was not used for a while. */
    dangling: boolean;
    device: string | null;
}
/** Why a session has ended. A newer server may know more reasons. */
export type EndReason = "ended-by-admin" | "ended-by-user" | "expired" | "idle" | "key-removed" | "limit" | "logout" | "refresh-reused" | "replaced";
/** Where this browser stands with its server. */
export type State = 
/** The server has not been heard yet. */
{
    readonly status: "unknown";
}
/** Nobody is logged in here. */
 | {
    readonly status: "signed-out";
} | {
    readonly status: "active" | "refreshing";
    readonly session: SessionObject;
}
/** The server is out of reach, or answers nonsense. The session, where there is one, goes on; it is tried again. */
 | {
    readonly status: "offline";
    readonly session: SessionObject | null;
}
/** All seats are taken: at a login (no session), or for a session that comes back and keeps trying. */
 | {
    readonly status: "limit-reached";
    readonly session: SessionObject | null;
    readonly problem: Problem;
}
/** The server told that the session is over; `reason` is absent where it does not know any more. */
 | {
    readonly status: "ended";
    readonly reason?: EndReason;
};
/** The session warns that it is about to end: `idle` can be put off by activity, `absolute` cannot. */
export interface Expiring {
    kind: "idle" | "absolute";
    /** Unix seconds of the server's clock. */
    at: number;
}
/** The session is over. */
export interface Ended {
    reason?: EndReason;
}
/** A handoff code of this session was redeemed on another device. */
export interface HandedOver {
    device?: string;
}
/** What `Session.on` tells of. */
export interface SessionEvents {
    expiring: Expiring;
    ended: Ended;
    "handed-over": HandedOver;
}
