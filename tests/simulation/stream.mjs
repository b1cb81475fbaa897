// The event stream of a session. The server itself says whether this credential may have one (as for `GET /session`);
// what the stream then tells comes from what the oracle knows, since the server's real time is not the world's.

/** In milliseconds; less often than the server's, and often enough for the client. */
const KEEPALIVE = 30_000;

/** A response whose body lives until the session ends, the reader leaves, or the network is cut. */
export function openStream(world, tab, signal) {
  const session = tab.browser.truth.session;
  const encoder = new TextEncoder();
  let controller;
  const body = new ReadableStream({ start: (own) => (controller = own), cancel: () => end(() => {}) });
  const open = {
    cut: () => end(() => controller.error(new TypeError('network error'))),
    /** The oracle has heard that a session is over. */
    ended: (id, reason) => {
      if (id !== session) return;
      tell('ended', reason ? { reason } : {});
      end(() => controller.close());
    },
  };
  let isOver = false;
  let next = null;

  function end(how) {
    if (isOver) return;
    isOver = true;
    world.scheduler.cancel(next);
    tab.underWay.delete(open);
    world.streams.delete(open);
    tab.now(how);
  }

  function tell(event, data) {
    tab.now(() => controller.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)));
  }

  function keepAlive() {
    if (isOver) return;
    // Bad weather breaks long connections, and leaves the reader to find out.
    if (world.weather.of(tab.browser) !== 'fine') {
      if (world.chance.chance(0.3)) open.cut();
    } else {
      tell('keepalive', {});
    }
    next = world.scheduler.after(KEEPALIVE, keepAlive);
  }

  tab.underWay.add(open);
  world.streams.add(open);
  signal?.addEventListener('abort', () => end(() => controller.error(signal.reason)));
  keepAlive();
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}
