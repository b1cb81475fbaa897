// `Session.fetch`: what goes to the session's origin is made repeatable, and a stronger login is asked for where it is missing.

import { attempt } from "./attempt.js";
import type { Core } from "./core.js";
import type { SessionInit } from "./session.js";
import { exclusively } from "./exclusive.js";
import { until } from "./patience.js";
import { problemOf } from "./problem.js";
import { who } from "./standing.js";
import { isOwn, isRefused, PASSIVE } from "./wire.js";

const KEY = "Idempotency-Key";

export async function sessionFetch(core: Core, input: RequestInfo | URL, init: SessionInit = {}): Promise<Response> {
  const { href } = new URL(input instanceof Request ? input.url : input, core._environment.location());
  if (!isOwn(core, href)) return core._environment.fetch(input, init);
  const { exclusive, passive } = init;
  const request = new Request(input instanceof Request ? input : href, init);
  const { headers, signal } = request;
  if (passive) headers.set(PASSIVE, "?1");
  if (exclusive && !headers.has(KEY)) headers.set(KEY, core._environment.uniqueKey());
  const asked = who(core);
  await until(core._ready!, signal);
  const outgoing = { _request: request, _passive: passive, _who: asked ?? who(core) };
  const go = () => (headers.has(KEY) ? exclusively(core, outgoing) : attempt(core, outgoing));
  const response = await go();
  if (!isRefused(core, response) || !core._onStepUp) return response;
  const problem = await problemOf(response);
  if (problem.code !== "step-up-required" || !(await until(core._onStepUp(problem), signal))) return response;
  return go();
}
