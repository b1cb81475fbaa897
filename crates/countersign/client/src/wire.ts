// One request with the session's credentials, and what every answer teaches.

import type { Core } from "./core.js";
import { within } from "./patience.js";
import { Problem, type ProblemCode, problemOf } from "./problem.js";

/** A proof that was made by a clock this wrong is refused for it, in seconds: nothing was done with its request. */
const MISTIMED = 50;

/**
 * Sends a request with this tab's access token and, once the server has asked for them, proofs of possession.
 * It is made anew for each sending: twice at most, where the server asks for a proof or for another nonce, or where the
 * clock was set meanwhile.
 */
export async function send(core: Core, url: string, make: () => [RequestInfo, RequestInit], bare = false): Promise<Response> {
  const { _clock: clock } = core;
  const [sent, estimate] = [core._environment.now(), clock.now()];
  const response = await sendOnce(core, url, make, bare);
  if (!isRefused(core, response) || !/^DPoP\b/i.test(response.headers.get("WWW-Authenticate") ?? "")) return response;
  clock._heard(response, sent);
  const { code } = await problemOf(response);
  const unproved = !core._prover;
  core._prover ??= await (await core._environment.loadDpop()).createProver(core._base);
  const mistimed = code === "dpop-invalid" && Math.abs(clock.now() - estimate) > MISTIMED;
  const again = code === "use-dpop-nonce" || (code === "dpop-required" && unproved) || mistimed;
  return again ? sendOnce(core, url, make, bare) : response;
}

async function sendOnce(core: Core, url: string, make: () => [RequestInfo, RequestInit], bare: boolean): Promise<Response> {
  const [input, init] = make();
  const headers = new Headers(init.headers);
  const token = bare || headers.has("Authorization") ? null : core._token;
  if (token) headers.set("Authorization", `${token.scheme} ${token.value}`);
  if (core._prover) {
    const of = { method: init.method ?? "GET", url, now: core._clock.now(), nonce: core._nonce, token: token?.value };
    headers.set("DPoP", await core._prover.proof(of));
  }
  const response = await core._environment.fetch(input, { ...init, headers, credentials: "same-origin" });
  if (isOwn(core, response)) core._nonce = response.headers.get("DPoP-Nonce") ?? core._nonce;
  return response;
}

/** Whether the session's server gave this answer: not whoever a redirect led to. */
function isOwn(core: Core, { url }: Response): boolean {
  return !url || new URL(url).origin === core._origin;
}

/** Whether the session's server refused for want of a good credential. */
export function isRefused(core: Core, response: Response): boolean {
  return response.status === 401 && isOwn(core, response);
}

/** How to ask a mounted endpoint. */
export interface Ask {
  _body?: object | undefined;
  _headers?: Record<string, string>;
  _passive?: boolean;
  /** Without the access token: it is not what counts here. */
  _bare?: boolean;
}

/**
 * Asks an endpoint of the framework, or an application's login, for JSON. Throws a Problem for a refusal. Gives up
 * after a third of the race window; whatever is neither a refusal nor the JSON of the contract is a TypeError: weather.
 */
export function ask<T>(core: Core, method: string, url: string, options: Ask = {}): Promise<T> {
  const { _body, _headers, _passive, _bare } = options;
  const headers = {
    ..._headers,
    ...(_body && { "Content-Type": "application/json" }),
    ...(_passive && { "Session-Passive": "?1" }),
  };
  const body = _body ? JSON.stringify(_body) : null;
  return within(core._environment, (core._raceWindow * 1000) / 3, core._gone.signal, async (signal) => {
    const sent = core._environment.now();
    // No redirect takes a password or a token elsewhere.
    const init: RequestInit = { method, headers, body, signal, cache: "no-store", redirect: "error" };
    const response = await send(core, url, () => [url, init], _bare);
    core._clock._heard(response, sent);
    core._raceWindow = Number(response.headers.get("Session-Race-Window")) || core._raceWindow;
    return read<T>(response);
  });
}

/** The JSON of an answer. Throws a Problem for a refusal. */
export async function read<T>(response: Response): Promise<T> {
  if (!response.ok) throw await problemOf(response);
  const answer: unknown = response.status === 204 ? {} : await response.json().catch(() => null);
  if (!answer || typeof answer !== "object") throw nonsense();
  return answer as T;
}

/** What a proxy answered in the server's place. */
export function nonsense(): TypeError {
  return new TypeError("The server's answer was not understood.");
}

/** Whether an error is a refusal with this code. */
export function isCode(error: unknown, ...codes: string[]): error is Problem & { code: ProblemCode } {
  return error instanceof Problem && codes.includes(error.code ?? "");
}
