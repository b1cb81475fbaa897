// One request with the session's credentials, and what every answer teaches.

import type { Core } from "./core.js";
import { within } from "./patience.js";
import { problemOf } from "./problem.js";

/** A proof that was made by a clock this wrong is refused for it, in seconds: nothing was done with its request. */
const MISTIMED = 50;

/**
 * Sends a request with this tab's access token (unless it is `bare`) and, once the server has asked for them, proofs of
 * possession: twice at most, where the server asks for a proof or for another nonce, or where the clock was set
 * meanwhile. Each sending takes a copy, since a body can be read once.
 */
export async function send(core: Core, request: Request, signal: AbortSignal, bare?: boolean): Promise<Response> {
  const { _clock: clock } = core;
  const [sent, estimate] = [core._environment.now(), clock.now()];
  const response = await sendOnce(core, request, signal, bare);
  if (!isRefused(core, response) || !/^DPoP\b/i.test(response.headers.get("WWW-Authenticate") ?? "")) return response;
  clock._heard(response, sent);
  const { code } = await problemOf(response);
  core._prover ??= await (await core._environment.loadDpop()).createProver(core._base);
  const mistimed = code === "dpop-invalid" && Math.abs(clock.now() - estimate) > MISTIMED;
  const again = code === "use-dpop-nonce" || code === "dpop-required" || mistimed;
  return again ? sendOnce(core, request, signal, bare) : response;
}

async function sendOnce(core: Core, request: Request, signal: AbortSignal, bare?: boolean): Promise<Response> {
  const { method, url } = request;
  const headers = new Headers(request.headers);
  const token = bare || headers.has("Authorization") ? null : core._token;
  if (token) headers.set("Authorization", `${token.scheme} ${token.value}`);
  if (core._prover) {
    headers.set("DPoP", await core._prover.proof({ method, url, now: core._clock.now(), nonce: core._nonce, token: token?.value }));
  }
  const response = await core._environment.fetch(request.clone(), { headers, signal, credentials: "same-origin" });
  if (isOwn(core, response.url)) core._nonce = response.headers.get("DPoP-Nonce") ?? core._nonce;
  return response;
}

/** Whether an address is at the session's server, and not where a redirect led; an answer that was made here has none. */
export function isOwn(core: Core, url: string): boolean {
  // By its beginning: the origin of a blob: address is the page's too.
  return !url || url.startsWith(`${core._origin}/`);
}

/** Whether the session's server refused for want of a good credential. */
export function isRefused(core: Core, response: Response): boolean {
  return response.status === 401 && isOwn(core, response.url);
}

/** What a request to a mounted endpoint may have. */
export interface Ask {
  _body?: object;
  _headers?: Record<string, string>;
  /** Without the access token: it is not what counts here. */
  _bare?: boolean;
}

export const PASSIVE = "Session-Passive";

/**
 * Asks an endpoint of the framework, or an application's login, for JSON. Throws a Problem for a refusal. Gives up
 * after a third of the race window; whatever is neither a refusal nor the JSON of the contract is a TypeError: weather.
 */
export function ask<T>(core: Core, method: string, url: string, { _body, _headers, _bare }: Ask = {}): Promise<T> {
  const { _environment: environment } = core;
  return within(environment, (core._raceWindow * 1000) / 3, core._gone.signal, async (signal) => {
    const sent = environment.now();
    const headers = { "Content-Type": "application/json", ..._headers };
    // No redirect takes a password or a token elsewhere.
    const body = _body ? JSON.stringify(_body) : null;
    const response = await send(core, new Request(url, { method, headers, body, cache: "no-store", redirect: "error" }), signal, _bare);
    core._clock._heard(response, sent);
    core._raceWindow = Number(response.headers.get("Session-Race-Window")) || core._raceWindow;
    return read<T>(response);
  });
}

/** The JSON of an answer. Throws a Problem for a refusal. */
export async function read<T>(response: Response): Promise<T> {
  if (!response.ok) throw await problemOf(response);
  const answer: unknown = response.status === 204 ? {} : await response.json().catch(() => null);
  if (answer !== Object(answer)) throw nonsense();
  return answer as T;
}

/** What a proxy answered in the server's place. */
export function nonsense(): TypeError {
  return new TypeError("Not understood");
}
