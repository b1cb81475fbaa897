// The event stream over real connections: one for a browser, opened again whatever happens to it.

import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import test from "node:test";
import { createClock } from "../src/clock.js";
import type { Core } from "../src/core.js";
import type { Environment } from "../src/environment.js";
import { followEvents } from "../src/events.js";
import type { SessionObject, State } from "../src/state.js";
import { createStore } from "../src/store.js";
import { settled, TestClock } from "./clock.js";
import { Locks } from "./locks.js";
import { Stage as TabStage } from "./stage.js";
import { StreamSite, type Visit } from "./stream-site.js";

const KEEPALIVE = 15_000;

function active(id: string): State {
  return { status: "active", session: { id } as SessionObject };
}

/** A browser at a server of streams, on a clock of its own; `random` is 1, so that pauses are at their longest. */
class Stage {
  readonly site = new StreamSite();
  readonly clock = new TestClock();
  readonly locks = new Locks();
  base = "";
  #ends: (() => void)[] = [];

  async start(): Promise<this> {
    this.base = await this.site.start();
    return this;
  }

  stop(): void {
    for (const end of this.#ends) end();
    this.site.stop();
  }

  tab(changes: Partial<Environment> = {}, state = active("one")) {
    const page = new EventEmitter();
    const log: unknown[][] = [];
    const logged = new EventEmitter();
    const told = (...entry: unknown[]) => {
      log.push(entry);
      logged.emit("told");
    };
    const look = { visible: true };
    const environment = {
      ...this.clock,
      now: () => this.clock.now,
      fetch: (input: Request, init: RequestInit) => fetch(input, init),
      random: () => 1,
      locks: this.locks,
      isVisible: () => look.visible,
      on: (name: string, listener: () => void) => {
        page.on(name, listener);
        return () => page.off(name, listener);
      },
      ...changes,
    } as unknown as Environment;
    const store = createStore<State>(state);
    const core = {
      _gone: new AbortController(),
      get _session() {
        const now = store.get();
        return "session" in now ? now.session : null;
      },
      _lockName: "countersign:/session",
      _origin: new URL(this.base).origin,
      _base: this.base,
      _environment: environment,
      _clock: createClock(environment),
      _store: store,
      _over(id: string, reason?: string) {
        store._set({ status: "ended" });
        told("over", id, reason);
      },
      _tell: (name: string, event: object) => told(name, event),
    } as unknown as Core;
    const close = followEvents(core);
    this.#ends.push(close);
    const next = () => once(logged, "told");
    const happens = (name: "pagehide" | "pageshow") => {
      if (name === "pagehide") core._gone.abort();
      else core._gone = new AbortController();
      page.emit(name);
    };
    return { page, happens, log, next, look, store, close };
  }

  /** The next request for the stream, after a pause of this length and no other. */
  async again(pause: number): Promise<Visit> {
    await this.clock.until(pause);
    const { visits } = this.site;
    await this.clock.advance(pause - 1);
    assert.equal(this.site.visits, visits);
    await this.clock.advance(1);
    return this.site.next();
  }
}

function staged(name: string, run: (stage: Stage) => Promise<void>): void {
  test(name, { timeout: 20_000 }, async () => {
    const stage = await new Stage().start();
    try {
      await run(stage);
    } finally {
      stage.stop();
    }
  });
}

/** A visit that came, was opened and has been read, to its second event. */
async function following(stage: Stage, tab: ReturnType<Stage["tab"]>, came?: Visit): Promise<Visit> {
  const visit = (came ?? (await stage.site.next())).open();
  const told = tab.next();
  visit.send("handed-over", {});
  await told;
  tab.log.length = 0;
  return visit;
}

staged("a browser has one stream, in the tab that came first, then in the next", async (stage) => {
  const [first, second, third] = [stage.tab(), stage.tab(), stage.tab()];
  const visit = await following(stage, first);
  assert.equal(stage.site.visits, 1);
  first.close();
  await visit.gone;
  await following(stage, second);
  assert.deepEqual([stage.site.visits, third.log.length], [2, 0]);
});

staged("it is asked for passively, and only while there is a session", async (stage) => {
  const tab = stage.tab({}, { status: "signed-out" });
  await stage.clock.advance(120_000);
  assert.equal(stage.site.visits, 0);
  tab.store._set(active("one"));
  const { request } = await stage.site.next();
  assert.equal(request.headers["session-passive"], "?1");
  assert.equal(request.url, "/session/events");
});

staged("events are told, and one that is not known is passed over", async (stage) => {
  const tab = stage.tab();
  const visit = await following(stage, tab);
  visit.send("brand-new", { a: 1 }).send("expiring", { kind: "idle", at: 1_790_000_060 });
  visit.send("handed-over", { device: "Safari on iPhone" }).send("handed-over", {});
  while (tab.log.length < 3) await tab.next();
  assert.deepEqual(tab.log, [
    ["expiring", { kind: "idle", at: 1_790_000_060 }],
    ["handed-over", { device: "Safari on iPhone" }],
    ["handed-over", {}],
  ]);
});

staged("nonsense in an event ends the stream, and it is opened again ever more rarely", async (stage) => {
  const tab = stage.tab();
  let visit = await stage.site.next();
  for (const [index, data] of ["[", "null", "", "<html>"].entries()) {
    visit.open().response.write(`event: ended\ndata: ${data}\n\n`);
    await visit.gone;
    visit = await stage.again(2 ** index * 1000);
  }
  assert.deepEqual(tab.log, []);
});

for (const reason of ["logout", undefined]) {
  staged(`a session that has ended (${reason}) is told as that one, and followed no more`, async (stage) => {
    const tab = stage.tab();
    const visit = await following(stage, tab);
    const told = tab.next();
    visit.send("ended", reason ? { reason } : {}).response.end();
    await told;
    assert.deepEqual(tab.log, [["over", "one", reason]]);
    await stage.clock.advance(120_000);
    assert.equal(stage.site.visits, 1);
  });
}

staged("a stream that only closes is opened again at once", async (stage) => {
  const tab = stage.tab();
  const visit = await following(stage, tab);
  visit.response.end();
  await stage.again(500);
  assert.deepEqual(tab.log, []);
});

staged("a stream that was silent for two and a half keepalives is dead", async (stage) => {
  const tab = stage.tab();
  const visit = await following(stage, tab);
  for (let count = 0; count < 4; count++) {
    await stage.clock.advance(2 * KEEPALIVE);
    const told = tab.next();
    visit.send("keepalive", {}).send("handed-over", {});
    await told;
  }
  assert.equal(stage.site.present, 1);
  await stage.clock.advance(2.5 * KEEPALIVE - 1);
  assert.equal(stage.site.present, 1);
  await stage.clock.advance(1);
  await visit.gone;
  await stage.again(500);
});

staged("a server that does not answer at all is given up too", async (stage) => {
  stage.tab();
  const visit = await stage.site.next();
  await stage.clock.advance(2.5 * KEEPALIVE);
  await visit.gone;
  await stage.again(1000);
});

staged("what is no stream is asked for ever more rarely, at last once a minute", async (stage) => {
  stage.tab();
  let visit = await stage.site.next();
  const page = { "Content-Type": "text/html" };
  for (const pause of [1, 2, 4, 8, 16, 32, 60, 60]) {
    visit.answer(200, page, "event: ended\ndata: {}\n\n");
    visit = await stage.again(pause * 1000);
  }
});

staged("a stream that closes right after its first event is no success either", async (stage) => {
  stage.tab();
  let visit = await stage.site.next();
  for (const pause of [1, 2, 4, 8]) {
    visit.open().response.end();
    visit = await stage.again(pause * 1000);
  }
});

staged("Retry-After is honoured", async (stage) => {
  stage.tab();
  const visit = await stage.site.next();
  visit.answer(503, { "Retry-After": "90" });
  await stage.again(90_000);
});

staged("a network that comes back cuts the pause short", async (stage) => {
  const tab = stage.tab();
  for (let time = 0; time < 5; time++) {
    const visit = await stage.site.next();
    visit.response.destroy();
    await stage.clock.until(1000);
    tab.page.emit("online");
  }
  await stage.site.next();
});

staged("a page that is put away gives up its stream, and asks again when it is back", async (stage) => {
  const [first, second] = [stage.tab(), stage.tab()];
  const visit = await following(stage, first);
  first.happens("pagehide");
  await visit.gone;
  const taken = await following(stage, second);
  first.happens("pageshow");
  await settled();
  assert.equal(stage.site.present, 1);
  second.close();
  await taken.gone;
  await following(stage, first);
});

staged("a hidden page may lead", async (stage) => {
  const tab = stage.tab();
  const visit = await following(stage, tab);
  tab.look.visible = false;
  tab.page.emit("visibilitychange");
  await settled();
  const told = tab.next();
  visit.send("handed-over", {});
  await told;
});

staged("without locks a page that is seen has a stream of its own", async (stage) => {
  const [first, second] = [stage.tab({ locks: undefined }), stage.tab({ locks: undefined })];
  const visits = [await stage.site.next(), await stage.site.next()];
  second.look.visible = false;
  second.page.emit("visibilitychange");
  await Promise.race(visits.map((visit) => visit.gone));
  await following(stage, first, visits.find((visit) => !visit.response.closed));
  second.look.visible = true;
  second.page.emit("visibilitychange");
  await following(stage, second);
});

staged("where locks are forbidden there is a stream nevertheless", async (stage) => {
  const locks = { request: () => Promise.reject(new DOMException("sandboxed", "SecurityError")), query: stage.locks.query };
  const tab = stage.tab({ locks });
  await following(stage, tab);
});

staged("another session has another stream", async (stage) => {
  const tab = stage.tab();
  const visit = await following(stage, tab);
  tab.store._set(active("two"));
  await visit.gone;
  const next = await stage.site.next();
  const told = tab.next();
  next.open().send("ended", { reason: "idle" });
  await told;
  assert.deepEqual(tab.log, [["over", "two", "idle"]]);
});

staged("a session that is closed leaves nothing behind", async (stage) => {
  const tab = stage.tab();
  const visit = await following(stage, tab);
  tab.close();
  await visit.gone;
  await stage.clock.until();
  assert.deepEqual(tab.page.eventNames(), []);
  assert.deepEqual(await stage.locks.query(), { held: [], pending: [] });
});

test("a stream that is refused for its age is opened again after a passive renewal, and one that fails is not offline", async () => {
  const stage = new TabStage();
  const browser = stage.browser();
  stage.site.loggedIn(browser.jar);
  let blocked = false;
  stage.site.before = ({ path }) => {
    if (blocked && path === "/session/events") throw new TypeError("blocked");
    return undefined;
  };
  const tab = browser.open({ environment: { fetch: stage.site.network(browser.jar) } });
  await stage.pass(stage.site.accessLife + 120);
  const renewals = stage.site.to("/session/refresh");
  assert.ok(renewals.length >= 1);
  assert.ok(renewals.every(({ headers }) => headers.get("Session-Passive") === "?1"));
  blocked = true;
  const asked = stage.site.to("/session/events").length;
  await stage.pass(300);
  assert.ok(stage.site.to("/session/events").length > asked);
  assert.ok(!tab.statuses.includes("offline"), tab.statuses.join(" "));
  stage.close();
});

test("a session that a login replaces is not shown as ended before the login is answered", async () => {
  const stage = new TabStage();
  const browser = stage.browser();
  const old = stage.site.loggedIn(browser.jar);
  let say!: (text: string) => void;
  const stream = new ReadableStream({
    start(controller) {
      say = (text) => controller.enqueue(new TextEncoder().encode(text));
    },
  });
  const network = stage.site.network(browser.jar);
  const fetch: Environment["fetch"] = async (input, init) => {
    const request = new Request(input, init);
    if (!request.url.endsWith("/events")) return network(request);
    return new Response(stream, { headers: { "Content-Type": "text/event-stream" } });
  };
  const tab = browser.open({ environment: { fetch } });
  await stage.pass(1);
  stage.site.after = async ({ path }) => {
    if (path !== "/login") return undefined;
    stage.site.end(old.id, "replaced");
    say('event: ended\ndata: {"reason":"replaced"}\n\n');
    await new Promise<void>((resolve) => stage.clock.setTimeout(resolve, 1_000));
    return undefined;
  };
  const session = await stage.outcome(tab.session.login("/login", { user: "alice" }));
  assert.notEqual(session.id, old.id);
  assert.ok(!tab.statuses.includes("ended"), tab.statuses.join(" "));
  assert.equal(tab.status, "active");
  stage.close();
});
