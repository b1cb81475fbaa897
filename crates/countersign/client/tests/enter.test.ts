// Login in its forms, and logout.

import assert from "node:assert/strict";
import test from "node:test";
import { Problem } from "../src/index.js";
import { html, problem } from "./site.js";
import { Stage } from "./stage.js";

const ALICE = { user: "alice", password: "correct horse" };

test("a login shows its session in every tab", async () => {
  for (const transport of ["cookies", "bearer"] as const) {
    const stage = new Stage();
    stage.site.transport = transport;
    const tab = await stage.tab({}, null);
    const other = tab.browser.open();
    await stage.pass(1);
    const session = await stage.outcome(tab.session.login("/login", ALICE));
    await stage.pass(0);
    for (const each of [tab, other]) {
      assert.ok(each.state.status === "active" && each.state.session.id === session.id);
      assert.equal((await stage.outcome(each.session.fetch("/api/me"))).status, 200);
    }
    assert.equal(stage.site.to("/session/refresh").length, 2, "one for each load, none for the login");
    stage.close();
  }
});

const lost: [string, () => Response | Promise<Response>][] = [
  ["lost", () => { throw new TypeError("fetch failed"); }],
  ["never here", () => new Promise(() => {})],
  ["a proxy's", () => html(502)],
  ["a proxy's 200", () => html(200)],
];
for (const [name, answer] of lost) {
  test(`a login whose answer is ${name} is asked for again under the same key`, async () => {
    const stage = new Stage();
    const tab = await stage.tab({}, null);
    let times = 2;
    stage.site.after = ({ path }) => (path === "/login" && times-- > 0 ? answer() : undefined);
    await stage.outcome(tab.session.login("/login", ALICE));
    const keys = stage.site.to("/login").map(({ headers }) => headers.get("Idempotency-Key"));
    assert.equal(keys.length, 3);
    assert.equal(new Set(keys).size, 1);
    await stage.outcome(tab.session.login("/login", ALICE));
    assert.notEqual(stage.site.to("/login").at(-1)!.headers.get("Idempotency-Key"), keys[0], "another login is another");
    stage.close();
  });
}

test("a login that is refused throws the problem, once, and changes nothing", async () => {
  for (const [subject, status] of [[null, "signed-out"], ["alice", "active"]] as const) {
    const stage = new Stage();
    const tab = await stage.tab({}, subject);
    stage.site.before = ({ path }) => (path === "/login" ? problem(401, "login-failed", { detail: "The name or the password is wrong." }) : undefined);
    const refused = await stage.outcome(tab.session.login("/login", ALICE).catch((error: unknown) => error));
    assert.ok(refused instanceof Problem && refused.code === "login-failed");
    assert.equal(refused.message, "The name or the password is wrong.");
    assert.equal(stage.site.to("/login").length, 1);
    assert.equal(tab.status, status);
    stage.close();
  }
});

test("a login is for the session's own origin", async () => {
  const stage = new Stage();
  const tab = await stage.tab({}, null);
  await assert.rejects(tab.session.login("https://evil.example/login", ALICE), TypeError);
  assert.equal(stage.site.to("/login").length, 0);
  stage.close();
});

const full = (more: object = {}) => problem(429, "sessions-limit", { limit: 1, scope: "user", detail: "There is already 1 active user session.", ...more });

test("a full site is shown, and one's own session can be ended to go on", async () => {
  const stage = new Stage();
  const tab = await stage.tab({}, null);
  stage.site.before = ({ path }) => (path === "/login" ? full({ choice: "code", sessions: [{ id: "old" }] }) : undefined);
  await assert.rejects(stage.outcome(tab.session.login("/login", ALICE)), Problem);
  const { state } = tab;
  assert.ok(state.status === "limit-reached" && state.session === null && state.problem.choice === "code");
  await stage.pass(600);
  assert.equal(stage.site.to("/session/refresh").length, 1, "who is not logged in has nothing to come back to");

  const granted = stage.site.begin("alice");
  stage.site.before = ({ path, body }) => {
    if (path !== "/session/admit") return undefined;
    assert.deepEqual(JSON.parse(body), { choice: "code", end: "old" });
    return Response.json({ session: { ...granted, access_expires_at: granted.started_at + 10_000 } });
  };
  assert.equal((await stage.outcome(tab.session.admit("code", "old"))).id, granted.id);
  assert.equal(tab.status, "active");
  assert.ok(stage.site.to("/session/admit")[0]!.headers.has("Idempotency-Key"));
  stage.close();
});

test("a login that is refused a seat leaves the session that was there", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  stage.site.before = ({ path }) => (path === "/login" ? full() : undefined);
  await assert.rejects(stage.outcome(tab.session.login("/login", ALICE)), Problem);
  assert.equal(tab.status, "active");
  stage.close();
});

test("a session that comes back to a full site keeps trying, and is not ended", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  await stage.pass(stage.site.accessLife);
  stage.site.before = ({ path }) => (path === "/session/refresh" ? full() : undefined);
  assert.equal((await stage.outcome(tab.session.fetch("/api/me"))).status, 429);
  const { state } = tab;
  assert.ok(state.status === "limit-reached" && state.session?.subject === "alice" && state.problem.limit === 1);
  const before = stage.site.to("/session/refresh").length;
  await stage.pass(300);
  const tries = stage.site.to("/session/refresh").slice(before);
  assert.ok(tries.length >= 4 && tries.length < 40, `${tries.length} tries`);
  assert.ok(tries.every(({ headers }) => !headers.has("Session-Passive")), "only who is active gets a seat");
  stage.site.before = () => undefined;
  await stage.pass(70);
  assert.equal(tab.status, "active");
  assert.deepEqual(tab.ended, []);
  stage.close();
});

test("a logout reaches every tab, and is an end only where it was not asked for", async () => {
  for (const transport of ["cookies", "bearer"] as const) {
    const stage = new Stage();
    stage.site.transport = transport;
    const tab = await stage.tab();
    const other = tab.browser.open();
    await stage.pass(1);
    await stage.outcome(tab.session.logout());
    await stage.pass(0);
    assert.deepEqual(tab.state, { status: "signed-out" });
    assert.deepEqual(other.state, { status: "ended", reason: "logout" });
    assert.deepEqual([tab.ended, other.ended], [[], [{ reason: "logout" }]]);
    assert.deepEqual(tab.browser.jar, {});
    assert.equal((await stage.outcome(other.session.fetch("/api/me"))).status, 401);
    stage.close();
  }
});

test("without channels, the other tabs learn of a logout when they need the server", async () => {
  const stage = new Stage();
  const tab = await stage.tab({ environment: { openChannel: undefined } });
  const other = tab.browser.open({ environment: { openChannel: undefined } });
  await stage.pass(1);
  await stage.outcome(tab.session.logout());
  assert.equal(other.status, "active");
  assert.equal((await stage.outcome(other.session.fetch("/api/me"))).status, 401);
  assert.deepEqual(other.state, { status: "ended" });
  stage.close();
});

test("a logout that the server did not hear is told, and the session goes on", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  stage.site.before = ({ path }) => (path === "/session/logout" ? problem(503, "registry-unavailable") : undefined);
  await assert.rejects(stage.outcome(tab.session.logout()), Problem);
  assert.equal(tab.status, "active");
  assert.equal((await stage.outcome(tab.session.fetch("/api/me"))).status, 200);
  stage.close();
});
