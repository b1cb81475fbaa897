// One request with the session's credentials, and what every answer teaches.

import type { Core } from "./core.js";
import { within } from "./patience.js";
import { Problem, type ProblemCode, problemOf } from "./problem.js";

/**
 * Sends a request with this tab's access token and, once the server has asked for them, proofs of possession.
 * It is made anew for each sending: twice at most, where the server asks for a proof or for another nonce.
 */
export async function send(core: Core, url: string, make: () => [RequestInfo, RequestInit], bare = false): Promise<Response> {
  const response = await sendOnce(core, url, make, bare);
  if (response.status !== 401 || !/^DPoP\b/i.test(response.headers.get("WWW-Authenticate") ?? "")) return response;
  const { code } = await problemOf(response);
  const unproved = !core._prover;
  core._prover ??= await (await core._environment.loadDpop()).createProver(core._base);
  const again = code === "use-dpop-nonce" || (code === "dpop-required" && unproved);
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
  core._nonce = response.headers.get("DPoP-Nonce") ?? core._nonce;
  return response;
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
    const response = await send(core, url, () => [url, { method, headers, body, signal, cache: "no-store" }], _bare);
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
