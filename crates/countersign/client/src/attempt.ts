// One request with the session: renewed before where it is due, and repeated once where a renewal is all that was missing.

import type { Core } from "./core.js";
import { until, within } from "./patience.js";
import { isCode, Problem, problemOf } from "./problem.js";
import { catchUp, over, renew, renewAlone, restore } from "./refresh.js";
import { reached, remainWho, troubled } from "./standing.js";
import { isRefused, send } from "./wire.js";

/** What is to be sent, and how. */
export interface Outgoing {
  /** It stays unread: copies of it are sent. */
  readonly _request: Request;
  readonly _passive: boolean | undefined;
  /** The person who makes it, if that is known. */
  readonly _who: string | undefined;
  /** In milliseconds; for who has the turn alone. */
  readonly _timeout?: number;
}

/** Plain updates share a turn until their answer begins, but not for longer than this, in milliseconds. */
const SHARED = 10_000;

/** Sends a request as often as it takes, which is twice at most. `alone`: this call has the turn for itself. */
export async function attempt(core: Core, outgoing: Outgoing, alone = false): Promise<Response> {
  try {
    return await renewedAttempt(core, outgoing, alone);
  } catch (error) {
    // What refused a renewal is the answer to the request that needed it. A network that fails is an error, as with fetch.
    if (error instanceof Problem) return error._response!.clone();
    throw error;
  }
}

async function renewedAttempt(core: Core, outgoing: Outgoing, alone: boolean): Promise<Response> {
  const { _passive: passive, _request: { signal } } = outgoing;
  const renewSince = (used: number) => (alone ? renewAlone(core, used, passive) : until(renew(core, used, passive), signal));
  if (core._clock.now() >= core._staleAt!) await renewSince(core._mark);
  // The server was never heard: without its token, this request would look like a stranger's.
  else if (!core._session && core._failures && !alone) await until(restore(core), signal);
  const { _mark: used, _session: session } = core;
  const response = await sendInTurn(core, outgoing, alone);
  if (!isRefused(core, response) || !session) return response;
  const problem = await problemOf(response);
  if (!isRenewable(problem)) {
    if (problem.code === "session-ended" && core._mark === used) over(core, session.id, problem.reason);
    return response;
  }
  await renewSince(used);
  return sendInTurn(core, outgoing, alone);
}

function isRenewable(problem: Problem): boolean {
  return isCode(problem, "token-expired", "token-invalid", "not-authenticated") || problem.reason === "replaced";
}

async function sendInTurn(core: Core, outgoing: Outgoing, alone: boolean): Promise<Response> {
  const { method, signal } = outgoing._request;
  if (/^(GET|HEAD|OPTIONS)$/.test(method)) return sendOrTell(core, outgoing);
  const update = async () => {
    // While it waited for its turn, another tab may have had it.
    await until(catchUp(core), signal);
    return sendOrTell(core, outgoing);
  };
  if (alone) return update();
  let answer!: Promise<Response>;
  const begin = async () => {
    answer = update();
    await within(core._environment, SHARED, null, () => answer).catch(() => {});
  };
  await core._turns("shared", begin, signal);
  return answer;
}

async function sendOrTell(core: Core, { _request: request, _timeout: timeout, _who }: Outgoing): Promise<Response> {
  remainWho(core, _who);
  const { signal } = request;
  const go = (until: AbortSignal) => send(core, request, until);
  try {
    const response = await (timeout ? within(core._environment, timeout, signal, go) : go(signal));
    reached(core);
    return response;
  } catch (error) {
    if (!signal.aborted) troubled(core, error);
    throw error;
  }
}
