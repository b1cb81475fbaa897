// `Session.fetch`: what goes to the session's origin is made repeatable, and a stronger login is asked for where it is missing.

import { attempt, type Outgoing } from "./attempt.js";
import type { Core, SessionInit } from "./core.js";
import { exclusively } from "./exclusive.js";
import { until } from "./patience.js";
import { problemOf } from "./problem.js";

const KEY = "Idempotency-Key";

export async function sessionFetch(core: Core, input: RequestInfo | URL, init: SessionInit = {}): Promise<Response> {
  const url = new URL(input instanceof Request ? input.url : input, core._environment.location());
  if (url.origin !== new URL(core._base).origin) return core._environment.fetch(input, init);
  const outgoing = prepare(input, url.href, init);
  if (init.exclusive && !outgoing._headers.has(KEY)) outgoing._headers.set(KEY, core._environment.uniqueKey());
  const go = () => (outgoing._headers.has(KEY) ? exclusively(core, outgoing) : attempt(core, outgoing));
  await until(core._ready, outgoing._signal);
  const subject = core._session?.subject;
  const response = await go();
  if (response.status !== 401 || !core._onStepUp) return response;
  const problem = await problemOf(response);
  if (problem.code !== "step-up-required" || !(await until(core._onStepUp(problem), outgoing._signal))) return response;
  return core._session?.subject === subject ? go() : response;
}

function prepare(input: RequestInfo | URL, url: string, init: SessionInit): Outgoing {
  const { exclusive: _, passive = false, ...rest } = init;
  let request = input instanceof Request ? input : undefined;
  const headers = new Headers(rest.headers ?? request?.headers);
  if (passive) headers.set("Session-Passive", "?1");
  const method = rest.method ?? request?.method ?? "GET";
  if (rest.body instanceof ReadableStream) {
    // A stream can be read once; a Request that holds it can be copied.
    request = new Request(request ?? url, { ...rest, duplex: "half" } as RequestInit);
    delete rest.body;
  }
  return {
    _url: url,
    _method: method.toUpperCase(),
    _headers: headers,
    _passive: passive,
    _signal: rest.signal ?? request?.signal ?? null,
    _make: (signal) => [request?.clone() ?? url, { ...rest, headers, method, signal }],
  };
}
