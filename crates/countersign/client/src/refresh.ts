// The exchange of the refresh token: one at a time in all tabs, given up in time, repeated with patience.

import { backoff, retryAfter } from "./backoff.js";
import type { Core } from "./core.js";
import { pause } from "./patience.js";
import { isCode, Problem } from "./problem.js";
import { adopt, leave, show, troubled } from "./standing.js";
import type { EndReason, SessionObject } from "./state.js";
import { ask, type How, nonsense, PASSIVE } from "./wire.js";

/** The answer to a refresh, and to a login in all its forms. */
interface TokenResponse {
  session: SessionObject;
  token_type: string;
  access_token?: string;
}

/** How often an exchange is sent before its caller hears of a failure; after that, it goes on in the background. */
const TRIES = 3;
/** Longer than this, in milliseconds, a caller is not kept waiting for the next try. */
const PATIENCE = 5_000;

/** Renews the access token, unless this or another tab has done so since mark `used`. Throws what went wrong. */
export function renew(core: Core, used: number, passive = false): Promise<void> {
  return once(core, `${used} ${passive}`, () => core._turns("exclusive", () => renewAlone(core, used, passive)));
}

/** Does something once for all who want it at the same time. */
function once(core: Core, what: string, task: () => Promise<void>): Promise<void> {
  const running = core._running.get(what) ?? task().finally(() => core._running.delete(what));
  core._running.set(what, running);
  return running;
}

/** The same for who has the turn already. Without `used`, whatever others did. */
export async function renewAlone(core: Core, used?: number, passive = false): Promise<void> {
  await catchUp(core);
  if (used !== undefined && core._mark !== used) return;
  // A seat may be free sooner than the server thinks.
  if (core._quietFor && !isCode(core._trouble, "sessions-limit")) throw core._trouble;
  if (core._store.get().status === "active") show(core, "refreshing");
  try {
    await take(core, await exchange(core, `${core._base}/refresh`, true, passive && { [PASSIVE]: "?1" }));
  } catch (error) {
    if (isFinal(error)) await end(core, error);
    // The key is gone and another was made: nothing can be done with that session here, but a login can.
    else if (isCode(error, "dpop-invalid") && !core._session) leave(core);
    else troubled(core, error);
    throw error;
  }
}

/** Renews whatever others did, as an act of the person. */
export async function extend(core: Core): Promise<SessionObject> {
  await core._turns("exclusive", () => renewAlone(core));
  return core._session!;
}

/** Learns what another tab has done, where it holds a newer mark: from itself, or from the server. */
export async function catchUp(core: Core): Promise<void> {
  const number = await core._marks._newest();
  if (number <= core._mark) return;
  core._tabs._say({ is: "ask" });
  for (let step = 1; step < 500 && core._mark < number; step *= 2) await pause(core._environment, step);
  if (core._mark < number && !core._token) await look(core, false).catch(() => {});
}

/** Asks the server which session this is. */
async function look(core: Core, isNew: boolean): Promise<void> {
  const mark = Math.max(core._mark, await core._marks._newest());
  // A tab that knows nothing has missed nothing.
  if (isNew) core._mark = mark;
  const session = await ask<SessionObject>(core, "GET", core._base);
  if (!isSession(session)) throw nonsense();
  adopt(core, session, core._token, mark);
}

/** Finds out who this browser is: at most two requests. Throws what went wrong. */
export function restore(core: Core): Promise<void> {
  return once(core, "", () => lookOrRenew(core));
}

async function lookOrRenew(core: Core): Promise<void> {
  try {
    await look(core, !core._session);
  } catch (error) {
    // A browser sends no expired cookie, so that none looks like an expired one.
    if ((error as Problem).status === 401 && (error as Problem).code) return renew(core, core._mark);
    troubled(core, error);
    throw error;
  }
}

/** Sends a refresh, or a login in one of its forms, until it is answered or nobody would wait any longer. */
export async function exchange(core: Core, url: string, ...how: How): Promise<TokenResponse> {
  return insist(core, async () => {
    const answer = await ask<TokenResponse>(core, "POST", url, ...how);
    if (!isSession(answer?.session)) throw nonsense();
    return answer as TokenResponse;
  });
}

/** Repeats what may be repeated: after no answer, one that was not understood, or one that says so. */
export async function insist<T>(core: Core, task: () => Promise<T>): Promise<T> {
  const { _environment: environment, _gone: gone } = core;
  for (let attempt = 0; ; attempt++) {
    try {
      return await task();
    } catch (error) {
      const asked = retryAfter((error as Problem)._response, environment.now());
      const wait = Math.max(backoff(attempt, environment.random()), asked);
      if (attempt + 1 >= TRIES || wait > PATIENCE || !mayRepeat(error)) throw error;
      await pause(environment, wait, gone.signal);
    }
  }
}

function mayRepeat(error: unknown): boolean {
  if (!(error instanceof Problem) || !error.code || error.status >= 500) return true;
  // A network may double a request, and of two proofs with one id the second is refused.
  return isCode(error, "too-many-requests", "dpop-invalid") || error.reason === "replaced";
}

/** Takes the answer to an exchange, and lets all tabs know. For who has the turn. */
export async function take(core: Core, { session, token_type, access_token }: TokenResponse): Promise<void> {
  const token = access_token ? { scheme: token_type, value: access_token } : null;
  // Above all others, also of tabs that are closed now.
  const mark = Math.max(core._mark + 1, Math.floor(core._environment.now()));
  adopt(core, session, token, mark);
  await core._marks._hold(mark, session);
  core._tabs._say({ is: "at", mark, session, token });
}

/** Of all refusals of a refresh only these say that the session is over. */
function isFinal(error: unknown): error is Problem {
  return isCode(error, "session-ended", "refresh-reused", "token-invalid", "not-authenticated");
}

/** The refresh was refused for good. A refusal deletes no cookies: a logout does, so that a visit can begin. */
async function end(core: Core, { code, reason }: Problem): Promise<void> {
  const known = core._session;
  const why = reason ?? (code === "refresh-reused" ? code : undefined);
  if (known) tellOver(core, known.id, why);
  else if (core._store.get().status !== "ended") leave(core, why && { reason: why });
  // Either none are there, or those of the login that replaced this session are on their way.
  if (code === "not-authenticated" || reason === "replaced") return;
  await ask(core, "POST", `${core._base}/logout`, true).catch(() => {});
}

/** The server told that a session is over. Its refresh token has the last word: it may be another session's by now. */
export function over(core: Core, id: string, reason?: EndReason): void {
  if (core._session?.id !== id) return;
  // The answer to the login that took its place may be on its way.
  if (reason !== "replaced") tellOver(core, id, reason);
  renew(core, core._mark, true).catch(() => {});
}

function tellOver(core: Core, id: string, reason: EndReason | undefined): void {
  leave(core, { reason });
  core._tabs._say({ is: "over", id, reason });
}

function isSession(session: Partial<SessionObject> | undefined): session is SessionObject {
  return !!session?.id;
}
