// `Session.fetch`: what goes to the session's origin is made repeatable, and a stronger login is asked for where it is missing.

import { attempt, type Outgoing } from "./attempt.js";
import type { Core } from "./core.js";
import type { SessionInit } from "./session.js";
import { exclusively } from "./exclusive.js";
import { until } from "./patience.js";
import { problemOf } from "./problem.js";
import { who } from "./standing.js";
import { isRefused } from "./wire.js";

const KEY = "Idempotency-Key";

export async function sessionFetch(core: Core, input: RequestInfo | URL, init: SessionInit = {}): Promise<Response> {
  const url = new URL(input instanceof Request ? input.url : input, core._environment.location());
  // By its beginning: the origin of a blob: address is the page's too.
  if (!url.href.startsWith(`${core._origin}/`)) return core._environment.fetch(input, init);
  const outgoing = repeatable(core, new Request(input instanceof Request ? input : url, init), init);
  const go = () => (outgoing._headers.has(KEY) ? exclusively(core, outgoing) : attempt(core, outgoing));
  const asked = who(core);
  await until(core._ready, outgoing._signal);
  outgoing._who = asked ?? who(core);
  const response = await go();
  if (!isRefused(core, response) || !core._onStepUp) return response;
  const problem = await problemOf(response);
  if (problem.code !== "step-up-required" || !(await until(core._onStepUp(problem), outgoing._signal))) return response;
  return who(core) === outgoing._who ? go() : response;
}

/** A request holds its body, a stream too, so that each sending gets a copy. One that was read already fails here, as with fetch. */
function repeatable(core: Core, request: Request, { exclusive, passive = false }: SessionInit): Outgoing {
  const headers = new Headers(request.headers);
  if (passive) headers.set("Session-Passive", "?1");
  if (exclusive && !headers.has(KEY)) headers.set(KEY, core._environment.uniqueKey());
  const { url, method, signal } = request;
  return {
    _url: url,
    _method: method,
    _headers: headers,
    _passive: passive,
    _signal: signal,
    _make: (signal) => [request.clone(), { headers, method, signal }],
  };
}
