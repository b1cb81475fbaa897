// How this tab's knowledge of the session changes, and who is told.

import { retryAfter } from "./backoff.js";
import type { Core } from "./core.js";
import { isCode, type Problem } from "./problem.js";
import type { EndReason, SessionObject, State } from "./state.js";
import type { Message, Token } from "./tabs.js";

/** How long before its end an access token is renewed, in seconds: the clock is known to a second or so. */
const EARLY = 2;

/** Takes a session for the browser's, as of a mark. */
export function adopt(core: Core, session: SessionObject, token: Token | null, mark: number): void {
  const end = session.access_expires_at ?? Infinity;
  core._session = session;
  core._token = token;
  core._mark = mark;
  core._staleAt = end - Math.min(EARLY, (end - core._clock.now()) / 4);
  calm(core);
}

/** Whose session this tab knows of. Of two tenants, the same name is two people. */
export function who({ _session: session }: Core): string | undefined {
  return session ? `${session.tenant ?? ""} ${session.subject}` : undefined;
}

/** Refuses to make one person's request as another one, who has logged in in another tab meanwhile. */
export function remainWho(core: Core, asked: string | undefined): void {
  const now = who(core);
  if (asked && now && asked !== now) throw new DOMException("Somebody else", "AbortError");
}

/** Nobody is logged in here any more. */
export function leave(core: Core, ended?: { reason?: EndReason | undefined }): void {
  const before = core._session;
  core._session = core._token = null;
  core._staleAt = undefined;
  calm(core);
  if (!ended) return show(core, "signed-out", {});
  const end = ended.reason ? { reason: ended.reason } : {};
  show(core, "ended", end);
  if (before) core._emit("ended", end);
}

/** The server could not be asked, or refused for now: whatever this tab knew of the session still stands. */
export function troubled(core: Core, error: unknown): void {
  const { _environment: environment, _session: session } = core;
  // Who is not logged in misses nothing.
  if (/out|ended/.test(core._store.get().status)) return;
  core._failures++;
  core._trouble = error;
  core._quietFor = retryAfter((error as Problem)._response, environment.now());
  // By a timer: the clock may be set back meanwhile.
  core._hush(core._quietFor, () => {
    core._quietFor = 0;
  });
  if (isCode(error, "sessions-limit")) show(core, "limit-reached", { session, problem: error });
  else show(core, "offline");
}

/** The server answered. */
export function reached(core: Core): void {
  if (core._store.get().status === "offline" && core._session) calm(core);
}

function calm(core: Core): void {
  core._failures = core._quietFor = 0;
  if (core._session) show(core, "active");
}

type Shown = { status: string; session?: unknown; problem?: unknown };

/** Shows a status with its members, unless that is what is shown. */
export function show(core: Core, status: State["status"], members: object = { session: core._session }): void {
  const shown: Shown = core._store.get();
  const next = { status, ...members } as Shown & State;
  if (shown.status !== status || shown.session !== next.session || shown.problem !== next.problem) core._store._set(next);
}

/** Hears another tab. */
export function hear(core: Core, message: Message): void {
  const { _session: session, _mark: mark, _token: token } = core;
  if (message.is === "ask") {
    if (session) core._tabs._say({ is: "at", mark, session, token });
  } else if (message.is === "at") {
    if (message.mark <= mark) return;
    core._marks._drop();
    adopt(core, message.session, message.token, message.mark);
  } else if (session && message.id === session.id) {
    if (message.is === "over") leave(core, message);
    else core._emit(message.name, message.event as never);
  }
}
