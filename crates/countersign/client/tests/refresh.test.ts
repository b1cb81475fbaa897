// One refresh for all tabs of a browser, and nobody ended, however the tabs and their messages interleave.

import assert from "node:assert/strict";
import test from "node:test";
import type { Environment } from "../src/environment.js";
import { settled } from "./clock.js";
import { generator } from "./generator.js";
import { problem } from "./site.js";
import { Stage } from "./stage.js";

type Transport = "cookies" | "bearer";

/** Three tabs that all need a new access token at about the same time, several times over. */
async function race(seed: number, transport: Transport, tabs: number, more: Partial<Environment> = {}) {
  const stage = new Stage();
  const { next, below } = generator(seed);
  stage.random = next;
  stage.site.transport = transport;
  stage.site.delay = () => below(400);
  const browser = stage.browser();
  const session = stage.site.loggedIn(browser.jar);
  for (let i = 0; i < tabs; i++) {
    browser.open({ environment: more });
    await stage.pass(next() * 2);
  }
  await stage.pass(5);
  const refreshed = [];
  for (let round = 0; round < 3; round++) {
    await stage.pass(stage.site.accessLife);
    stage.site.asked.length = 0;
    const answers = browser.tabs.flatMap((tab) =>
      Array.from({ length: 1 + below(3) }, async () => {
        await new Promise<void>((resolve) => stage.clock.setTimeout(resolve, below(600)));
        return (await tab.session.fetch(`/api/${below(3)}`, { method: below(2) ? "POST" : "GET" })).status;
      }),
    );
    const statuses = await stage.outcome(Promise.all(answers));
    assert.deepEqual([...new Set(statuses)], [200], `seed ${seed}`);
    refreshed.push(stage.site.to("/session/refresh").length);
    for (const tab of browser.tabs) assert.equal(tab.status, "active", `seed ${seed}`);
  }
  assert.ok(stage.site.isLive(session.id));
  assert.deepEqual(browser.tabs.flatMap(({ ended }) => ended), []);
  stage.close();
  await settled();
  return refreshed;
}

for (const transport of ["cookies", "bearer"] as const) {
  test(`one refresh on the wire for all tabs: ${transport}, 60 seeds`, async () => {
    for (let seed = 1; seed <= 60; seed++) {
      assert.deepEqual(await race(seed, transport, 2 + (seed % 4)), [1, 1, 1], `seed ${seed}`);
    }
  });

  test(`without locks every tab may refresh, and nobody is ended: ${transport}, 20 seeds`, async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const refreshed = await race(seed, transport, 3, { locks: undefined });
      assert.ok(refreshed.every((count) => count >= 1 && count <= 3), `seed ${seed}: ${refreshed}`);
    }
  });

  test(`locks that are forbidden are as good as none: ${transport}`, async () => {
    const forbidden = () => Promise.reject(new DOMException("", "SecurityError"));
    const refreshed = await race(1, transport, 2, { locks: { request: forbidden, query: forbidden } });
    assert.ok(refreshed.every((count) => count >= 1 && count <= 2), `${refreshed}`);
  });
}

const noChannels: [string, Environment["openChannel"]][] = [
  ["missing", undefined],
  ["forbidden", () => { throw new DOMException("", "SecurityError"); }],
];
for (const [what, openChannel] of noChannels) {
  test(`with channels ${what}, cookies still need one refresh: the mark tells, 20 seeds`, async () => {
    for (let seed = 1; seed <= 20; seed++) {
      assert.deepEqual(await race(seed, "cookies", 3, { openChannel }), [1, 1, 1], `seed ${seed}`);
    }
  });

  test(`with channels ${what}, each tab has to get a bearer token of its own`, async () => {
    assert.deepEqual(await race(1, "bearer", 3, { openChannel }), [3, 3, 3]);
  });
}

test("calls of one tab wait for the same refresh", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  await stage.pass(stage.site.accessLife);
  stage.site.asked.length = 0;
  const answers = await stage.outcome(Promise.all(Array.from({ length: 20 }, () => tab.session.fetch("/api/me"))));
  assert.ok(answers.every(({ ok }) => ok));
  assert.equal(stage.site.to("/session/refresh").length, 1);
  assert.deepEqual(tab.statuses.slice(-3), ["active", "refreshing", "active"]);
  stage.close();
});

test("a signed-out browser costs two requests at load, and none for a refresh after that", async () => {
  const stage = new Stage();
  const tab = await stage.tab({}, null);
  assert.deepEqual(await tab.session.ready, { status: "signed-out" });
  assert.deepEqual(stage.site.asked.map(({ method, path }) => `${method} ${path}`), ["GET /session", "POST /session/refresh"]);
  assert.equal((await stage.outcome(tab.session.fetch("/api/me"))).status, 401);
  assert.equal(stage.site.asked.length, 3);
  stage.close();
});

test("tabs that load at once with an expired access token refresh once", async () => {
  const stage = new Stage();
  const browser = stage.browser();
  stage.site.delay = () => 50;
  stage.site.loggedIn(browser.jar);
  delete browser.jar.access;
  const tabs = [browser.open(), browser.open(), browser.open()];
  await stage.outcome(Promise.all(tabs.map(({ session }) => session.ready)));
  assert.deepEqual(tabs.map(({ status }) => status), ["active", "active", "active"]);
  assert.equal(stage.site.to("/session/refresh").length, 1);
  stage.close();
});

test("a refused access token is renewed once, and the request is sent once more", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  let refusals = 1;
  stage.site.app = ({ path }) => (path === "/api/me" && refusals-- > 0 ? problem(401, "token-expired") : undefined);
  assert.equal((await stage.outcome(tab.session.fetch("/api/me"))).status, 200);
  assert.equal(stage.site.to("/session/refresh").length, 1);
  refusals = Infinity;
  assert.equal((await stage.outcome(tab.session.fetch("/api/me"))).status, 401);
  assert.equal(stage.site.to("/api/me").length, 4);
  assert.equal(tab.status, "active");
  stage.close();
});

test("after a replaced session, the person's request goes on; it is not made as somebody else", async () => {
  for (const [next, outcome, sent] of [["alice", 200, 2], ["bob", "AbortError", 1]] as const) {
    const stage = new Stage();
    const tab = await stage.tab();
    const { session: old } = tab.state as { session: { id: string } };
    // A login elsewhere in this browser, not by this client.
    stage.site.end(old.id, "replaced");
    tab.browser.jar.refresh = stage.site.begin(next).id;
    const answer = tab.session.fetch("/api/me", { method: "POST" });
    assert.equal(await stage.outcome(answer.then(({ status }) => status, ({ name }: Error) => name)), outcome, next);
    assert.equal(stage.site.to("/api/me").length, sent, next);
    assert.equal(tab.state.status === "active" && tab.state.session.subject, next);
    stage.close();
  }
});

test("who has waited for a frozen tab for three race windows goes on without it", async () => {
  const stage = new Stage();
  const tab = await stage.tab({ raceWindow: 30 });
  void tab.browser.locks.request("countersign:https://shop.example/session", () => new Promise(() => {}));
  await stage.pass(stage.site.accessLife);
  const answer = tab.session.fetch("/api/me");
  await stage.pass(89);
  assert.equal(stage.site.to("/session/refresh").length, 0);
  assert.equal((await stage.outcome(answer, 5)).status, 200);
  stage.close();
});

test("extending is an act of the person, polling is not", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  await stage.pass(100);
  const before = tab.state.status === "active" && tab.state.session.idle_expires_at;
  await stage.outcome(tab.session.fetch("/api/poll", { passive: true }));
  assert.equal(stage.site.to("/api/poll")[0]!.headers.get("Session-Passive"), "?1");
  const { idle_expires_at } = await stage.outcome(tab.session.extend());
  assert.ok(idle_expires_at >= Number(before) + 100);
  assert.equal(stage.site.to("/session/refresh").at(-1)!.headers.get("Session-Passive"), null);
  stage.close();
});
