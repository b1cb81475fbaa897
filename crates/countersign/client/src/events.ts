// The event stream of the server, read by one tab for all tabs of the browser: the one that holds the leader's lock.

import { backoff, retryAfter } from "./backoff.js";
import type { Core } from "./core.js";
import { pause } from "./patience.js";
import { eventReader } from "./sse.js";
import type { Ended, Expiring, HandedOver, State } from "./state.js";

/** A stream that was silent for two and a half keepalives is dead. Milliseconds. */
const SILENCE = 37_500;

/** Follows the stream while there is a session, until the returned function is called. */
export function followEvents(core: Core): () => void {
  const { _environment: environment, _store: store } = core;
  let present = true;
  let leading: AbortController | undefined;

  function look(): void {
    // Without locks nobody can lead: each tab that is seen has its own stream.
    const wanted = present && idOf(store.get()) && (environment.locks || environment.isVisible());
    if (!wanted) {
      leading?.abort();
      leading = undefined;
    } else if (!leading) {
      leading = new AbortController();
      void lead(core, leading.signal);
    }
  }

  function come(isPresent: boolean): () => void {
    return () => {
      present = isPresent;
      look();
    };
  }

  const ends = [
    // A page in the back/forward cache hears nothing, and a lock would keep it out.
    environment.on("pagehide", come(false)),
    environment.on("pageshow", come(true)),
    environment.on("visibilitychange", look),
    store.subscribe(look),
    come(false),
  ];
  return () => ends.forEach((end) => end());
}

/** Waits to be the leader, then keeps a stream open. */
async function lead(core: Core, signal: AbortSignal): Promise<void> {
  const { _environment: environment, _base: base } = core;
  const follow = () => keepOpen(core, signal);
  try {
    await (environment.locks ? environment.locks.request(`countersign:${base}:stream`, { signal }, follow) : follow());
  } catch {
    // Given up while it was waiting, or locks are forbidden here, as in a sandboxed frame.
    if (!signal.aborted) await follow();
  }
}

async function keepOpen(core: Core, signal: AbortSignal): Promise<void> {
  for (let failures = 0; ; ) {
    const { events, after } = await readOnce(core, signal);
    if (signal.aborted) return;
    // One event comes at once; a stream that brought no second one was not much of a stream.
    failures = events > 1 ? 0 : failures + 1;
    await rest(core, signal, after || backoff(failures, core._environment.random()));
  }
}

/** One stream, from opening to end: how many events it brought, and the pause in milliseconds that the server asks for. */
async function readOnce(core: Core, signal: AbortSignal): Promise<{ events: number; after: number | undefined }> {
  const { _environment: environment, _store: store } = core;
  const id = idOf(store.get());
  const aborter = new AbortController();
  const stop = () => aborter.abort();
  let timer: unknown;
  const heard = () => {
    environment.clearTimeout(timer);
    timer = environment.setTimeout(stop, SILENCE);
  };
  signal.addEventListener("abort", stop);
  const unsubscribe = store.subscribe((state) => idOf(state) !== id && stop());
  let events = 0;
  let after: number | undefined;
  const read = eventReader((name, data) => {
    events++;
    act(core, id!, name, data);
  });
  try {
    heard();
    const response = await core._fetch(`${core._base}/events`, { passive: true, signal: aborter.signal });
    after = retryAfter(response, environment.now());
    const reader = isStream(response) && response.body?.getReader();
    for (let next; reader && !(next = await reader.read()).done; read(next.value)) heard();
  } catch {
    // The network, silence, an event without end, or we gave it up: what comes next is the same.
  }
  environment.clearTimeout(timer);
  unsubscribe();
  signal.removeEventListener("abort", stop);
  stop();
  return { events, after };
}

function isStream(response: Response): boolean {
  return response.ok && /^text\/event-stream\b/i.test(response.headers.get("Content-Type") ?? "");
}

/** Does what an event asks for; what is not understood is passed over, as a newer server may send it. */
function act(core: Core, id: string, name: string, data: string): void {
  let told: Partial<Expiring & Ended & HandedOver>;
  try {
    told = Object(JSON.parse(data));
  } catch {
    return;
  }
  const { kind, at, reason, device } = told;
  if (name === "ended") core._over(id, reason);
  else if (name === "handed-over") core._tell(name, device ? { device } : {});
  else if (name === "expiring" && kind && at) core._tell(name, { kind, at });
}

/** Waits; a network that comes back, or the end of it all, cuts it short. */
async function rest({ _environment: environment }: Core, signal: AbortSignal, milliseconds: number): Promise<void> {
  const waking = new AbortController();
  const wake = () => waking.abort();
  const deaf = environment.on("online", wake);
  signal.addEventListener("abort", wake);
  await pause(environment, milliseconds, waking.signal).catch(() => {});
  deaf();
  signal.removeEventListener("abort", wake);
}

function idOf(state: State): string | undefined {
  return "session" in state ? state.session?.id : undefined;
}
