// The server's own word that a session is over: believed at once, told to all tabs, and the dead cookies cleared.

import assert from "node:assert/strict";
import test from "node:test";
import type { EndReason } from "../src/index.js";
import { problem } from "./site.js";
import { Stage, type TabOnStage } from "./stage.js";

function idOf({ state }: TabOnStage): string {
  assert.ok(state.status === "active");
  return state.session.id;
}

const REASONS: (EndReason | undefined)[] = ["logout", "ended-by-user", "ended-by-admin", "limit", "refresh-reused", "idle", "expired", "key-removed", undefined];
for (const reason of REASONS) {
  test(`told by an answer: ${reason}`, async () => {
    const stage = new Stage();
    const tab = await stage.tab();
    const other = tab.browser.open();
    await stage.pass(1);
    stage.site.end(idOf(tab), reason);
    const answer = await stage.outcome(tab.session.fetch("/api/me"));
    assert.equal(((await answer.json()) as { code: string }).code, "session-ended");
    await stage.pass(1);
    for (const each of [tab, other]) {
      assert.deepEqual(each.state, reason ? { status: "ended", reason } : { status: "ended" });
      assert.deepEqual(each.ended, [reason ? { reason } : {}]);
    }
    assert.deepEqual(tab.browser.jar, {}, "so that a visit can begin");
    assert.equal(stage.site.to("/session/logout").length, 1);
    await stage.pass(1000);
    assert.equal(stage.site.to("/session/refresh").length, 1, "nobody keeps asking");
    stage.close();
  });
}

const atRefresh: [string, object, EndReason | undefined, boolean][] = [
  ["session-ended", { reason: "idle" }, "idle", true],
  ["refresh-reused", {}, "refresh-reused", true],
  ["token-invalid", {}, undefined, true],
  ["not-authenticated", {}, undefined, false],
];
for (const [code, members, reason, cleared] of atRefresh) {
  test(`told by a refresh: ${code}`, async () => {
    const stage = new Stage();
    const tab = await stage.tab();
    await stage.pass(stage.site.accessLife);
    stage.site.before = ({ path }) => (path === "/session/refresh" ? problem(401, code, members) : undefined);
    const answers = await stage.outcome(Promise.all([tab.session.fetch("/api/me"), tab.session.fetch("/api/other")]));
    for (const answer of answers) assert.equal(((await answer.json()) as { code: string }).code, code);
    assert.deepEqual(tab.state, reason ? { status: "ended", reason } : { status: "ended" });
    assert.equal(tab.ended.length, 1);
    assert.equal(stage.site.to("/session/refresh").length, 1);
    assert.equal(stage.site.to("/session/logout").length, cleared ? 1 : 0);
    assert.equal(stage.site.to("/api/me").length, 0, "what needed the session is not sent without it");
    stage.close();
  });
}

test("a cleared cookie jar is the end of the session here", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  delete tab.browser.jar.access;
  delete tab.browser.jar.refresh;
  await stage.outcome(tab.session.fetch("/api/me"));
  assert.deepEqual(tab.state, { status: "ended" });
  stage.close();
});

for (const code of ["token-invalid", "not-authenticated", "token-expired"]) {
  test(`${code} of a plain answer is no end: the refresh token has the last word`, async () => {
    const stage = new Stage();
    const tab = await stage.tab();
    let refusals = 1;
    stage.site.app = ({ path }) => (path === "/api/me" && refusals-- > 0 ? problem(401, code) : undefined);
    assert.equal((await stage.outcome(tab.session.fetch("/api/me"))).status, 200);
    assert.equal(tab.status, "active");
    stage.close();
  });
}

test("of an end that was told of an older session, the newer one survives, cookies and all", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  const old = idOf(tab);
  // Somebody logs in by a page that does not use this client.
  const fresh = stage.site.loggedIn(tab.browser.jar);
  stage.site.app = ({ path }) => (path === "/api/late" ? problem(401, "session-ended", { reason: "logout" }) : undefined);
  await stage.outcome(tab.session.fetch("/api/late"));
  await stage.pass(5);
  assert.notEqual(fresh.id, old);
  assert.equal(idOf(tab), fresh.id);
  assert.ok(stage.site.isLive(fresh.id));
  assert.equal(stage.site.to("/session/logout").length, 0);
  stage.close();
});

test("a dead session is told at load, and cleared", async () => {
  const stage = new Stage();
  const browser = stage.browser();
  const session = stage.site.loggedIn(browser.jar);
  stage.site.end(session.id, "ended-by-admin");
  const tab = browser.open();
  await stage.outcome(tab.session.ready);
  assert.deepEqual(tab.state, { status: "ended", reason: "ended-by-admin" });
  assert.deepEqual(tab.ended, [], "it was not open here");
  assert.deepEqual(browser.jar, {});
  const reloaded = browser.open();
  assert.deepEqual(await stage.outcome(reloaded.session.ready), { status: "signed-out" });
  stage.close();
});

test("a login after the end is a session like any other", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  stage.site.end(idOf(tab), "ended-by-user");
  await stage.outcome(tab.session.fetch("/api/me"));
  const session = await stage.outcome(tab.session.login("/login", { user: "alice" }));
  await stage.pass(5);
  assert.equal(idOf(tab), session.id);
  assert.ok(stage.site.isLive(session.id));
  assert.ok(tab.browser.jar.access);
  stage.close();
});

test("a login right after an end is not undone by clearing the old cookies, 40 seeds of delays", async () => {
  for (let seed = 0; seed < 40; seed++) {
    for (const locks of [true, false]) {
      const stage = new Stage();
      const tab = await stage.tab(locks ? {} : { environment: { locks: undefined } });
      let step = seed * 7;
      stage.site.delay = () => ((step = (step * 31 + 17) % 101), step * 5);
      stage.site.end(idOf(tab), "ended-by-user");
      const told = tab.session.fetch("/api/me");
      await stage.pass(seed / 20);
      const login = tab.session.login("/login", { user: "alice" });
      await stage.outcome(Promise.all([told, login]));
      await stage.pass(5);
      assert.equal(tab.status, "active", `seed ${seed}`);
      assert.ok(tab.browser.jar.access && stage.site.isLive((await login).id), `seed ${seed}`);
      stage.close();
    }
  }
});
