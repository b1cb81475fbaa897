// Warnings before a session ends, and the server's word when it should have.

import assert from "node:assert/strict";
import test from "node:test";
import { Stage } from "./stage.js";

test("the idle end is told a minute before, once in every tab, and the server then says that it is over", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  const other = tab.browser.open();
  const at = Math.floor(stage.site.now()) + stage.site.idleLife;
  await stage.pass(stage.site.idleLife - 62);
  assert.deepEqual(tab.expiring, []);
  await stage.pass(4);
  assert.deepEqual([tab.expiring, other.expiring], [[{ kind: "idle", at }], [{ kind: "idle", at }]]);
  assert.equal(tab.status, "active");
  await stage.pass(62);
  for (const each of [tab, other]) assert.deepEqual(each.state, { status: "ended", reason: "idle" });
  assert.equal(tab.expiring.length, 1);
  stage.close();
});

test("extending moves the idle end, and the next warning comes before the new one", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  await stage.pass(stage.site.idleLife - 30);
  assert.equal(tab.expiring.length, 1);
  const { idle_expires_at: at } = await stage.outcome(tab.session.extend());
  await stage.pass(stage.site.idleLife - 70);
  assert.equal(tab.expiring.length, 1);
  assert.equal(tab.status, "active");
  await stage.pass(12);
  assert.deepEqual(tab.expiring[1], { kind: "idle", at });
  stage.close();
});

test("activity that this tab has not seen is asked for before anybody is alarmed", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  await stage.pass(1800);
  // Another device of the same session, or a tab without this client.
  await stage.outcome(stage.site.network(tab.browser.jar)(`${stage.site.origin}/session/refresh`, { method: "POST" }));
  await stage.pass(1798);
  assert.deepEqual(tab.expiring, []);
  assert.equal(tab.status, "active");
  await stage.pass(1760);
  assert.equal(tab.expiring.length, 1);
  stage.close();
});

test("the absolute end is told a minute before; nothing moves it", async () => {
  const stage = new Stage();
  stage.site.life = 7000;
  stage.site.idleLife = 6000;
  const tab = await stage.tab();
  await stage.pass(3000);
  await stage.outcome(tab.session.extend());
  await stage.pass(3938);
  assert.deepEqual(tab.expiring.map(({ kind }) => kind), []);
  await stage.pass(4);
  assert.deepEqual(tab.expiring.map(({ kind }) => kind), ["absolute"]);
  await stage.outcome(tab.session.extend());
  assert.equal(tab.expiring.length, 1);
  stage.close();
});

test("without a network the warning still comes, and the end does not", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  await stage.pass(stage.site.idleLife - 100);
  stage.site.before = () => {
    throw new TypeError("fetch failed");
  };
  await stage.pass(50);
  assert.equal(tab.expiring.length, 1);
  await stage.pass(1000);
  assert.deepEqual(tab.ended, []);
  assert.equal(tab.status, "offline");
  stage.site.before = () => undefined;
  await stage.pass(120);
  assert.deepEqual(tab.state, { status: "ended", reason: "idle" });
  stage.close();
});

test("an end in 400 days is neither told at once nor forgotten", async () => {
  const stage = new Stage();
  stage.site.life = stage.site.idleLife = 400 * 86_400;
  let seen = false;
  // Unseen and without locks, it has no event stream.
  const tab = await stage.tab({ environment: { locks: undefined, isVisible: () => seen } });
  const asked = stage.site.asked.length;
  await stage.pass(2 * 86_400);
  assert.deepEqual(tab.expiring, []);
  assert.equal(stage.site.asked.length, asked, "waiting costs the server nothing");
  // The machine sleeps for nearly all of it.
  stage.clock.now += (398 * 86_400 - 30) * 1000;
  seen = true;
  await tab.happens("visibilitychange");
  await stage.pass(1);
  assert.equal(tab.expiring.length, 1);
  stage.close();
});

test("a session with an idle time below a minute warns once for each act of the person", async () => {
  const stage = new Stage();
  stage.site.idleLife = 40;
  const tab = await stage.tab();
  await stage.pass(10);
  assert.equal(tab.expiring.length, 1);
  await stage.outcome(tab.session.extend());
  await stage.pass(10);
  assert.equal(tab.expiring.length, 2);
  assert.ok(stage.site.to("/session/refresh").length <= 4);
  stage.close();
});
