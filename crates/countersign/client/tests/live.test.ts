// What a page goes through, and what the session makes of it.

import assert from "node:assert/strict";
import test from "node:test";
import { Stage } from "./stage.js";

test("a page in the back/forward cache holds no locks and no channel, and finds out what it missed", async () => {
  for (const missed of ["nothing", "a renewal", "a logout", "a login"]) {
    const stage = new Stage();
    const tab = await stage.tab();
    const other = tab.browser.open();
    await stage.pass(stage.site.accessLife);
    await stage.outcome(tab.session.fetch("/api/me"));
    await tab.happens("pagehide", { persisted: true });
    await stage.pass(0);
    if (missed === "a renewal") await stage.outcome(other.session.extend());
    if (missed === "a logout") await stage.outcome(other.session.logout());
    if (missed === "a login") await stage.outcome(other.session.login("/login", { user: "bob" }));
    await other.happens("pagehide", { persisted: true });
    await stage.pass(0);
    const { held } = await tab.browser.locks.query();
    assert.deepEqual(held, [], "both are away");
    await other.happens("pageshow", { persisted: true });
    await tab.happens("pageshow", { persisted: true });
    await stage.pass(10);
    if (missed === "a logout") assert.equal(tab.status, "ended");
    else assert.equal(tab.state.status === "active" && tab.state.session.subject, missed === "a login" ? "bob" : "alice");
    // It hears the others again.
    if (missed === "nothing") {
      await stage.outcome(other.session.logout());
      await stage.pass(0);
      assert.deepEqual(tab.state, { status: "ended", reason: "logout" });
    }
    stage.close();
  }
});

test("a page that goes away in the middle of a refresh gives up its turn, and is not signed out", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  const other = tab.browser.open();
  await stage.pass(stage.site.accessLife);
  stage.site.before = () => new Promise(() => {});
  const answer = tab.session.fetch("/api/me").catch(() => {});
  await stage.pass(1);
  await tab.happens("pagehide", { persisted: true });
  await answer;
  stage.site.before = () => undefined;
  assert.equal((await stage.outcome(other.session.fetch("/api/me"), 2)).status, 200);
  await tab.happens("pageshow", { persisted: true });
  await stage.pass(5);
  assert.equal(tab.status, "active");
  assert.deepEqual(tab.ended, []);
  stage.close();
});

test("a page that is only shown or hidden keeps what it has", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  const asked = stage.site.asked.length;
  await tab.happens("pagehide", { persisted: false });
  await tab.happens("pageshow", { persisted: false });
  await tab.happens("visibilitychange");
  await stage.pass(60);
  assert.equal(stage.site.asked.length, asked);
  stage.close();
});

test("a closed session leaves nothing behind", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  await stage.pass(stage.site.accessLife);
  await stage.outcome(tab.session.fetch("/api/me"));
  tab.session.close();
  await stage.pass(1);
  assert.deepEqual(await tab.browser.locks.query(), { held: [], pending: [] });
  assert.equal(stage.clock.waiting, 0);
  const asked = stage.site.asked.length;
  await stage.pass(100_000);
  assert.equal(stage.site.asked.length, asked);
  stage.close();
});

test("another version of the client in another tab is neither heard nor misunderstood", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  const strange = tab.browser.channel("countersign:https://shop.example/session:2");
  strange.postMessage({ is: "over", id: "session1" });
  const name = "countersign:https://shop.example/session:at:x:y";
  void tab.browser.locks.request(name, () => new Promise(() => {}));
  await stage.pass(stage.site.accessLife);
  assert.equal(tab.status, "active");
  assert.equal((await stage.outcome(tab.session.fetch("/api/me"))).status, 200);
  assert.deepEqual(tab.ended, []);
  strange.close();
  stage.close();
});

test("sessions under two bases share nothing", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  const other = tab.browser.open({ base: "/other/session" });
  await stage.pass(1);
  await stage.outcome(tab.session.logout());
  await stage.pass(1);
  assert.ok(stage.site.to("/other/session").length >= 1);
  assert.notEqual(other.state.status === "ended" && other.state.reason, "logout");
  stage.close();
});
