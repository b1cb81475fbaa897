// One request with the session: renewed before where it is due, and repeated once where a renewal is all that was missing.

import type { Core } from "./core.js";
import { until, within } from "./patience.js";
import { Problem, problemOf } from "./problem.js";
import { catchUp, over, renew, renewAlone, restore } from "./refresh.js";
import { reached, remainWho, troubled, who } from "./standing.js";
import { isCode, isRefused, send } from "./wire.js";

/** A request that can be sent more than once. */
export interface Outgoing {
  _url: string;
  _method: string;
  _headers: Headers;
  _passive: boolean;
  /** The person who makes it, if that is known. */
  _who?: string | undefined;
  _signal: AbortSignal;
  /** In milliseconds; for who has the turn alone. */
  _timeout?: number;
  _make(signal: AbortSignal): [RequestInfo, RequestInit];
}

/** Plain updates share a turn until their answer begins, but not for longer than this, in milliseconds. */
const SHARED = 10_000;

/** Sends a request as often as it takes, which is twice at most. `alone`: this call has the turn for itself. */
export async function attempt(core: Core, outgoing: Outgoing, alone = false): Promise<Response> {
  const refused = await unlessRefused(prepare(core, outgoing, alone));
  if (refused) return refused;
  const { _mark: used, _session: session } = core;
  const person = who(core);
  const response = await sendInTurn(core, outgoing, alone);
  if (!isRefused(core, response) || !session) return response;
  const problem = await problemOf(response);
  if (!isRenewable(problem)) {
    if (problem.code === "session-ended" && core._mark === used) over(core, session.id, problem.reason);
    return response;
  }
  const refusedNow = await unlessRefused(renewFor(core, outgoing, used, alone));
  if (refusedNow) return refusedNow;
  // In another tab somebody else may have logged in: this is not their request.
  return who(core) === person ? sendInTurn(core, outgoing, alone) : response;
}

/** Makes sure of the session, where this tab knows that it has to. */
async function prepare(core: Core, outgoing: Outgoing, alone: boolean): Promise<void> {
  if (core._clock.now() >= core._staleAt) await renewFor(core, outgoing, core._mark, alone);
  // The server was never heard: without its token, this request would look like a stranger's.
  else if (!core._session && core._failures && !alone) await until(restore(core), outgoing._signal);
}

function renewFor(core: Core, { _passive, _signal }: Outgoing, used: number, alone: boolean): Promise<void> {
  return alone ? renewAlone(core, used, _passive) : until(renew(core, used, _passive), _signal);
}

/** What refused a renewal is the answer to the request that needed it. A network that fails is an error, as with fetch. */
async function unlessRefused(renewal: Promise<void>): Promise<Response | undefined> {
  try {
    await renewal;
    return undefined;
  } catch (error) {
    if (error instanceof Problem && error._response) return error._response.clone();
    throw error;
  }
}

function isRenewable(problem: Problem): boolean {
  return isCode(problem, "token-expired", "token-invalid", "not-authenticated") || problem.reason === "replaced";
}

async function sendInTurn(core: Core, outgoing: Outgoing, alone: boolean): Promise<Response> {
  if (/^(GET|HEAD|OPTIONS)$/.test(outgoing._method)) return sendOnce(core, outgoing);
  const update = async () => {
    // While it waited for its turn, another tab may have had it.
    await until(catchUp(core), outgoing._signal);
    return sendOnce(core, outgoing);
  };
  if (alone) return update();
  let answer!: Promise<Response>;
  const begin = async () => {
    answer = update();
    await within(core._environment, SHARED, null, () => answer).catch(() => {});
  };
  await core._turns("shared", begin, outgoing._signal);
  return answer;
}

async function sendOnce(core: Core, { _url, _make, _signal, _timeout, _who }: Outgoing): Promise<Response> {
  remainWho(core, _who);
  const go = (signal: AbortSignal) => send(core, _url, () => _make(signal));
  try {
    const response = await (_timeout ? within(core._environment, _timeout, _signal, go) : go(_signal));
    reached(core);
    return response;
  } catch (error) {
    if (!_signal.aborted) troubled(core, error);
    throw error;
  }
}
