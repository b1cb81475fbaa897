// Updates that must happen exactly once: alone in this browser, under one key, and repeated until that is known.

import { attempt, type Outgoing } from "./attempt.js";
import { backoff, retryAfter } from "./backoff.js";
import type { Core } from "./core.js";
import { pause, until } from "./patience.js";
import { isCode, problemOf } from "./problem.js";

/** Sends a request that has an `Idempotency-Key`. It is repeated for as long as the race window, at most. */
export async function exclusively(core: Core, outgoing: Outgoing): Promise<Response> {
  const { _environment: environment } = core;
  const { signal } = outgoing._request;
  const window = core._raceWindow * 1000;
  return core._turns("exclusive", async () => {
    const began = environment.now();
    for (let count = 0; ; count++) {
      let response: Response | undefined;
      let failure: unknown;
      try {
        response = await until(attempt(core, { ...outgoing, _timeout: window / 3 }, true), signal);
      } catch (error) {
        failure = error;
      }
      const wait = Math.max(backoff(count, environment.random()), retryAfter(response, environment.now()));
      // A clock that was set back measures nothing.
      const spent = environment.now() - began;
      // Also where somebody else has logged in: it stays undone.
      const isOver = signal.aborted || (failure as Error | undefined)?.name === "AbortError";
      if (isOver || spent < 0 || spent + wait > window || (response && !(await isPassing(response)))) {
        if (response) return response;
        throw failure;
      }
      await pause(environment, wait, signal);
    }
  }, signal);
}

/** A server that asks for patience, or an update that lost a race and is to be made again on the newest state. */
async function isPassing(response: Response): Promise<boolean> {
  if (response.status >= 500) return response.headers.has("Retry-After");
  return response.status === 409 && isCode(await problemOf(response), "state-conflict", "state-superseded");
}
