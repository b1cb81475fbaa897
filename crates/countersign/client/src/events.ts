// The event stream of the server, read by one tab for all tabs of the browser: the one that holds the leader's lock.

import { backoff, retryAfter } from "./backoff.js";
import type { Core } from "./core.js";
import { createAlarm, pause } from "./patience.js";
import { renew } from "./refresh.js";
import { eventReader } from "./sse.js";
import { PASSIVE, send } from "./wire.js";

/** A stream that was silent for two and a half keepalives is dead. Milliseconds. */
const SILENCE = 37_500;

/** Follows the stream while there is a session, until the returned function is called. */
export function followEvents(core: Core): () => void {
  const { _environment: environment } = core;
  let followed: string | undefined;
  let leading: AbortController | undefined;

  function look(): void {
    // A page in the back/forward cache hears nothing, and a lock would keep it out. Without locks nobody can lead: each
    // tab that is seen has its own stream.
    const wanted = !core._gone.signal.aborted && (environment.locks || environment.isVisible());
    const id = wanted ? core._session?.id : undefined;
    if (id === followed) return;
    followed = id;
    leading?.abort();
    leading = new AbortController();
    if (id) void lead(core, id, leading.signal);
  }

  const ends = (["pagehide", "pageshow", "visibilitychange"] as const).map((name) => environment.on(name, look));
  // A network that comes back is worth another try at once.
  const again = () => {
    followed = undefined;
    look();
  };
  ends.push(core._store.subscribe(look), environment.on("online", again), () => leading?.abort());
  return () => ends.forEach((end) => end());
}

/** Waits to be the leader, then keeps a stream open. */
async function lead(core: Core, id: string, signal: AbortSignal): Promise<void> {
  const { locks } = core._environment;
  const follow = () => keepOpen(core, id, signal);
  try {
    await (locks ? locks.request(`${core._lockName}:stream`, { signal }, follow) : follow());
  } catch {
    // Given up while it was waiting, or locks are forbidden here, as in a sandboxed frame.
    if (!signal.aborted) await follow();
  }
}

async function keepOpen(core: Core, id: string, signal: AbortSignal): Promise<void> {
  const { _environment: environment } = core;
  for (let failures = 0; !signal.aborted; ) {
    const [events, after] = await readOnce(core, id, signal);
    // One event comes at once; a stream that brought no second one was not much of a stream.
    failures = events > 1 ? 0 : failures + 1;
    await pause(environment, Math.max(after, backoff(failures, environment.random())), signal).catch(() => {});
  }
}

/** One stream, from opening to end: how many events it brought, and the least pause in milliseconds that the server asks for. */
async function readOnce(core: Core, id: string, signal: AbortSignal): Promise<[events: number, after: number]> {
  const { _environment: environment } = core;
  const silent = new AbortController();
  const stop = () => silent.abort();
  const alarm = createAlarm(environment);
  alarm(SILENCE, stop);
  let events = 0;
  let after = 0;
  const read = eventReader((name, data) => {
    act(core, id, name, data);
    events++;
  });
  try {
    const given = AbortSignal.any([signal, silent.signal]);
    // Not by the session's fetch: where only the stream fails, as at a blocker of "/events", the session is not offline.
    const request = new Request(`${core._base}/events`, { headers: { [PASSIVE]: "?1" }, cache: "no-store" });
    const { _mark: used } = core;
    const response = await send(core, request, given);
    after = retryAfter(response, environment.now());
    if (response.status === 401) await renew(core, used, true);
    const reader = response.headers.get("Content-Type")?.startsWith("text/event-stream") && response.body!.getReader();
    for (let next; reader && !(next = await reader.read()).done; read(next.value)) {
      alarm(SILENCE, stop);
    }
  } catch {
    // Refused, nonsense, the network, silence, or we gave it up: what comes next is the same.
  }
  alarm();
  // Whatever is still on its way is not for us.
  stop();
  return [events, after];
}

/** Does what an event asks for; a newer server may send others. */
function act(core: Core, id: string, name: string, data: string): void {
  const { reason, ...event } = JSON.parse(data);
  if (name === "ended") core._over(id, reason);
  else if (name === "expiring" || name === "handed-over") core._tell(name, event);
}
