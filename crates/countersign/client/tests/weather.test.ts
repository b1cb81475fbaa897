// Bad weather: whatever is not the server's own word that a session is over leaves it alone.

import assert from "node:assert/strict";
import test from "node:test";
import type { SessionObject } from "../src/index.js";
import { html, problem, type Site } from "./site.js";
import { Stage, type TabOnStage } from "./stage.js";

type Weather = () => Response | Promise<Response>;

const offline: Weather = () => {
  throw new TypeError("fetch failed");
};
const silence: Weather = () => new Promise(() => {});

const kinds: [string, Weather][] = [
  ["no network", offline],
  ["no answer at all", silence],
  ["HTML with 200", () => html(200)],
  ["HTML with 401", () => html(401)],
  ["HTML with 404", () => html(404)],
  ["HTML with 502", () => html(502)],
  ["an empty 200", () => new Response("")],
  ["a 200 that is JSON of somebody else", () => Response.json({ session: "yours" })],
  ["a 200 that is null", () => Response.json(null)],
  ["a 401 without a problem document", () => Response.json({ code: "session-ended" }, { status: 401 })],
  ["a broken problem document", () => new Response("{", { status: 401, headers: { "Content-Type": "application/problem+json" } })],
  ["registry-unavailable", () => problem(503, "registry-unavailable", {}, { "Retry-After": "1" })],
  ["too-many-requests", () => problem(429, "too-many-requests", {}, { "Retry-After": "30" })],
  ["internal", () => problem(500, "internal")],
  ["a 401 with a code of the future", () => problem(401, "device-untrusted")],
  ["cross-site", () => problem(403, "cross-site")],
  ["session-ended by way of a 410", () => problem(410, "from-the-future")],
];

/** The weather at the framework's own endpoints. */
function spoil(site: Site, weather: Weather | undefined): void {
  site.before = ({ path }) => (weather && path.startsWith("/session") ? weather() : undefined);
}

function subjectOf({ state }: TabOnStage): string | undefined {
  return "session" in state ? state.session?.subject : undefined;
}

for (const [name, weather] of kinds) {
  test(`a refresh that meets ${name} ends nothing, and the session comes back by itself`, async () => {
    const stage = new Stage();
    const tab = await stage.tab();
    await stage.pass(stage.site.accessLife);
    spoil(stage.site, weather);
    await stage.outcome(tab.session.fetch("/api/me").catch(() => {}));
    assert.equal(tab.status, "offline");
    await stage.pass(600);
    assert.equal(tab.status, "offline");
    assert.equal(subjectOf(tab), "alice");
    spoil(stage.site, undefined);
    await stage.pass(120);
    assert.equal(tab.status, "active");
    assert.equal((await stage.outcome(tab.session.fetch("/api/me"))).status, 200);
    assert.deepEqual(tab.ended, []);
    assert.equal(stage.site.to("/session/logout").length, 0);
    stage.close();
  });

  test(`a page that loads into ${name} is not signed out, and finds its session when that is over`, async () => {
    const stage = new Stage();
    const browser = stage.browser();
    stage.site.loggedIn(browser.jar);
    spoil(stage.site, weather);
    const tab = browser.open();
    assert.deepEqual(await stage.outcome(tab.session.ready), { status: "offline", session: null });
    spoil(stage.site, undefined);
    await stage.pass(120);
    assert.equal(tab.status, "active");
    assert.ok(!tab.statuses.includes("signed-out"));
    stage.close();
  });
}

test("an answer that comes after a third of the race window is not waited for", async () => {
  const stage = new Stage();
  const tab = await stage.tab({ raceWindow: 30 });
  await stage.pass(stage.site.accessLife);
  spoil(stage.site, silence);
  const answer = tab.session.fetch("/api/me").catch(() => {});
  await stage.pass(9.9);
  assert.equal(stage.site.to("/session/refresh").length, 1);
  await stage.pass(1);
  assert.equal(stage.site.to("/session/refresh").length, 2);
  await stage.outcome(answer);
  stage.close();
});

test("the server's own race window counts, once it has told one", async () => {
  const stage = new Stage();
  stage.site.after = (_, answer) => void answer.headers.set("Session-Race-Window", "1.5");
  const tab = await stage.tab();
  await stage.pass(stage.site.accessLife);
  spoil(stage.site, silence);
  const answer = tab.session.fetch("/api/me").catch(() => {});
  await stage.pass(0.4);
  assert.equal(stage.site.to("/session/refresh").length, 1);
  await stage.pass(0.6);
  assert.equal(stage.site.to("/session/refresh").length, 2);
  await stage.outcome(answer);
  stage.close();
});

test("Retry-After is honoured, also by calls that come in between; they get the refusal", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  await stage.pass(stage.site.accessLife);
  spoil(stage.site, () => problem(503, "registry-unavailable", {}, { "Retry-After": "90" }));
  assert.equal((await stage.outcome(tab.session.fetch("/api/me"))).status, 503);
  assert.equal(stage.site.to("/session/refresh").length, 1);
  await stage.pass(40);
  assert.equal((await stage.outcome(tab.session.fetch("/api/me"))).status, 503);
  await stage.pass(45);
  assert.equal(stage.site.to("/session/refresh").length, 1);
  spoil(stage.site, undefined);
  await stage.pass(70);
  assert.equal(tab.status, "active");
  stage.close();
});

test("a network that fails is an error of the call, and the first that works again is enough", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  stage.site.before = offline;
  await assert.rejects(stage.outcome(tab.session.fetch("/api/me")), TypeError);
  assert.equal(tab.status, "offline");
  assert.equal(subjectOf(tab), "alice");
  stage.site.before = () => undefined;
  assert.equal((await stage.outcome(tab.session.fetch("/api/me"))).status, 200);
  assert.equal(tab.status, "active");
  stage.close();
});

test("a laptop that slept for a day while its session was used elsewhere goes on", async () => {
  const stage = new Stage();
  stage.site.life = 30 * 86_400;
  stage.site.idleLife = 2 * 86_400;
  const tab = await stage.tab();
  stage.clock.now += 86_400_000;
  await tab.happens("online");
  assert.equal((await stage.outcome(tab.session.fetch("/api/me"))).status, 200);
  assert.equal(tab.status, "active");
  assert.deepEqual(tab.ended, []);
  stage.close();
});

test("an aborted call ends itself only, also while it waits for a refresh", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  await stage.pass(stage.site.accessLife);
  stage.site.delay = () => 1000;
  const abort = new AbortController();
  const given = tab.session.fetch("/api/me", { signal: abort.signal });
  const kept = tab.session.fetch("/api/me");
  await stage.pass(0.5);
  abort.abort(new Error("never mind"));
  await assert.rejects(given, /never mind/);
  assert.equal((await stage.outcome(kept)).status, 200);
  assert.equal(stage.site.to("/session/refresh").length, 1);
  assert.equal(stage.site.to("/api/me").length, 1);
  assert.ok(!tab.statuses.includes("offline"));
  stage.close();
});

test("two hours off: the access token is renewed in time, and the local clock decides nothing", async () => {
  for (const skew of [-7_200_000, 7_200_000]) {
    const stage = new Stage();
    stage.site.skew = skew;
    const tab = await stage.tab();
    assert.ok(Math.abs(tab.session.now() - stage.site.now()) <= 1);
    for (let i = 0; i < 10; i++) {
      await stage.pass(100);
      assert.equal((await stage.outcome(tab.session.fetch("/api/me"))).status, 200);
    }
    const refreshes = stage.site.to("/session/refresh").length;
    assert.ok(refreshes >= 2 && refreshes <= 4, `${refreshes} refreshes in 1000 s`);
    stage.close();
  }
});

test("offline and back: the browser's word is enough to look, not to end", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  await tab.happens("offline");
  assert.equal(tab.status, "offline");
  await tab.happens("online");
  await stage.pass(1);
  assert.equal(tab.status, "active");
  stage.close();
});

test("a hidden page does not knock, and looks again when it is seen", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  await stage.pass(stage.site.accessLife);
  spoil(stage.site, offline);
  tab.visible = false;
  await stage.outcome(tab.session.fetch("/api/me").catch(() => {}));
  const knocks = stage.site.to("/session/refresh").length;
  await stage.pass(3000);
  assert.equal(stage.site.to("/session/refresh").length, knocks);
  spoil(stage.site, undefined);
  tab.visible = true;
  await tab.happens("visibilitychange");
  await stage.pass(1);
  assert.equal(tab.status, "active");
  stage.close();
});

test("background tries are no activity of a person", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  await stage.pass(stage.site.accessLife);
  spoil(stage.site, offline);
  await stage.outcome(tab.session.fetch("/api/me").catch(() => {}));
  const before = stage.site.to("/session/refresh").length;
  await stage.pass(100);
  const tries = stage.site.to("/session/refresh").slice(before);
  assert.ok(tries.length >= 3);
  assert.ok(tries.every(({ headers }) => headers.get("Session-Passive") === "?1"));
  stage.close();
});

test("a visitor who meets a dead network stays a visitor", async () => {
  const stage = new Stage();
  const tab = await stage.tab({}, null);
  stage.site.before = offline;
  await assert.rejects(stage.outcome(tab.session.fetch("/api/public")), TypeError);
  assert.equal(tab.status, "signed-out");
  stage.close();
});

test("a session object of another version does no harm", async () => {
  const stage = new Stage();
  stage.site.idleLife = stage.site.life;
  const browser = stage.browser();
  stage.site.loggedIn(browser.jar);
  const strange = { id: "x", subject: "alice", expires_at: "tomorrow", more: {} } as unknown as SessionObject;
  stage.site.before = ({ path }) => (path === "/session" ? Response.json(strange) : undefined);
  const tab = browser.open();
  await stage.outcome(tab.session.ready);
  assert.equal(tab.status, "active");
  await stage.pass(10_000);
  assert.equal((await stage.outcome(tab.session.fetch("/api/me"))).status, 200);
  stage.close();
});
