// The ticks of the server: a stream that ends with the session.

import { call } from "./call.js";
import { element, text } from "./dom.js";

const AGAIN_MS = 1000;
const AGAIN_AT_MOST_MS = 30_000;

export function showTicks(session) {
  let watching = null;

  /** Follows the stream while somebody is here and looks. (Open streams of hidden tabs would use up connections.) */
  function follow() {
    const { status, session: current } = session.current.get();
    const wanted = (status === "active" || status === "refreshing") && document.visibilityState === "visible";
    if (watching && (!wanted || watching.id !== current.id)) stop(status);
    if (wanted && !watching) watch(current.id);
  }

  function stop(status) {
    watching.stop.abort();
    watching = null;
    const over = status === "ended" || status === "signed-out";
    text("ticks-sentence", over ? "The stream has ended with your session." : "Waiting for the server.");
    text("ticks-count", "");
  }

  async function watch(id) {
    const own = watching = { id, stop: new AbortController() };
    element("ticks").hidden = false;
    for (let pause = AGAIN_MS; watching === own; pause = Math.min(2 * pause, AGAIN_AT_MOST_MS)) {
      try {
        for await (const { n } of ticks(session, own.stop.signal)) {
          pause = AGAIN_MS;
          text("ticks-sentence", "Ticks since this page began to listen:");
          text("ticks-count", `${n + 1}`);
        }
      } catch {
        // Lost on the way: it is asked for again, and where the session is over, its state says so.
      }
      await new Promise((resolve) => { setTimeout(resolve, pause); });
    }
  }

  session.current.subscribe(follow);
  document.addEventListener("visibilitychange", follow);
}

/** The events of one answer. Listening is no activity of a person. */
async function* ticks(session, signal) {
  const { body } = await call(session, "GET", "/api/stream", { passive: true, signal });
  let buffer = "";
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    const events = (buffer + piece).split("\n\n");
    buffer = events.pop();
    for (const event of events) {
      const data = event.split("\n").find((line) => line.startsWith("data: "));
      if (data) yield JSON.parse(data.slice("data: ".length));
    }
  }
}
