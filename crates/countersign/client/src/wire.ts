// One request with the session's credentials, and what every answer teaches.

import type { Core } from "./core.js";
import { within } from "./patience.js";
import { isCode, problemOf } from "./problem.js";

/** A proof that was made by a clock this wrong is refused for it, in seconds: nothing was done with its request. */
const MISTIMED = 50;

/**
 * Sends a request with this tab's access token (unless it is `bare`) and, once the server has asked for them, proofs of
 * possession: twice at most, where the server asks for a proof or for another nonce, or where the clock was set
 * meanwhile. Each sending takes a copy, since a body can be read once.
 */
export async function send(core: Core, request: Request, signal: AbortSignal, bare?: boolean): Promise<Response> {
  const { _clock: clock, _environment: environment } = core;
  const { method, url } = request;
  const once = async () => {
    const headers = new Headers(request.headers);
    const token = bare || headers.has("Authorization") ? null : core._token;
    if (token) headers.set("Authorization", `${token.scheme} ${token.value}`);
    const proof = await core._prover?.proof({ method, url, now: clock.now(), nonce: core._nonce, token: token?.value });
    if (proof) headers.set("DPoP", proof);
    const response = await environment.fetch(request.clone(), { headers, signal, credentials: "same-origin" });
    if (isOwn(core, response.url)) core._nonce = response.headers.get("DPoP-Nonce") ?? core._nonce;
    return response;
  };
  const [sent, estimate] = [environment.now(), clock.now()];
  const response = await once();
  if (!isRefused(core, response) || !response.headers.get("WWW-Authenticate")?.startsWith("DPoP")) return response;
  clock._heard(response, sent);
  const problem = await problemOf(response);
  core._prover ??= await (await environment.loadDpop()).createProver(core._base);
  const isMistimed = isCode(problem, "dpop-invalid") && Math.abs(clock.now() - estimate) > MISTIMED;
  return isMistimed || isCode(problem, "use-dpop-nonce", "dpop-required") ? once() : response;
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

export const PASSIVE = "Session-Passive";

/** What may be said of a request: that it goes without the access token, which is not what counts here; headers; and a body. */
export type How = [bare?: boolean, headers?: Record<string, string> | false, content?: object];

/**
 * Asks an endpoint of the framework, or an application's login, for JSON. Throws a Problem for a refusal. Gives up
 * after a third of the race window; whatever is neither a refusal nor the JSON of the contract is a TypeError: weather.
 */
export function ask<T>(
  core: Core,
  method: string,
  url: string,
  ...[bare, given, content]: How
): Promise<T> {
  const { _environment: environment } = core;
  return within(environment, (core._raceWindow * 1000) / 3, core._gone.signal, async (signal) => {
    const sent = environment.now();
    const headers = { "Content-Type": "application/json", ...given };
    // No redirect takes a password or a token elsewhere.
    const body = content ? JSON.stringify(content) : null;
    const response = await send(core, new Request(url, { method, headers, body, cache: "no-store", redirect: "error" }), signal, bare);
    core._clock._heard(response, sent);
    core._raceWindow = +response.headers.get("Session-Race-Window")! || core._raceWindow;
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
