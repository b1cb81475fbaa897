// Updates that must happen once: alone in the browser, under one key, repeated until that is known.

import assert from "node:assert/strict";
import test from "node:test";
import { generator } from "./generator.js";
import { html, json, problem, type Asked } from "./site.js";
import { Stage } from "./stage.js";

const KEY = "Idempotency-Key";

/** A counter that counts each key once, as `update_exclusive` does; every answer may get lost, or late. */
function counter(stage: Stage) {
  const seen = new Set<string>();
  stage.site.app = ({ path, headers }, session) => {
    if (path !== "/api/count" || !session) return undefined;
    seen.add(headers.get(KEY)!);
    return json(200, { count: seen.size });
  };
  return seen;
}

test("an update happens once, whatever is lost, 40 seeds", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const stage = new Stage();
    const { next, below } = generator(seed);
    stage.random = next;
    stage.site.delay = () => below(300);
    const seen = counter(stage);
    const tab = await stage.tab({ raceWindow: 600 });
    await stage.pass(3);
    // Silence costs a third of the window each time.
    let silences = 1;
    const lossy = (asked: Asked) => {
      if (asked.path !== "/api/count" || next() > 0.3) return undefined;
      if (next() < 0.5 || silences-- <= 0) throw new TypeError("fetch failed");
      return new Promise<Response>(() => {});
    };
    stage.site.before = lossy;
    stage.site.after = lossy;
    const updates = Array.from({ length: 4 }, () => tab.session.fetch("/api/count", { method: "POST", exclusive: true }));
    const answers = await stage.outcome(Promise.all(updates), 2400);
    assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200, 200], `seed ${seed}`);
    const counts = await Promise.all(answers.map(async (answer) => ((await answer.json()) as { count: number }).count));
    assert.deepEqual(counts, [1, 2, 3, 4], `seed ${seed}`);
    assert.equal(seen.size, 4);
    stage.close();
  }
});

test("a key that the caller made is kept, and makes an update exclusive", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  let conflicts = 2;
  stage.site.app = ({ path }) => (path === "/api/count" && conflicts-- > 0 ? problem(409, "state-conflict") : undefined);
  const answer = await stage.outcome(tab.session.fetch("/api/count", { method: "POST", headers: { [KEY]: "mine" } }));
  assert.equal(answer.status, 200);
  assert.deepEqual(stage.site.to("/api/count").map(({ headers }) => headers.get(KEY)), ["mine", "mine", "mine"]);
  stage.close();
});

const repeated: [string, () => Response][] = [
  ["state-conflict", () => problem(409, "state-conflict")],
  ["state-superseded", () => problem(409, "state-superseded")],
  ["503 with Retry-After", () => problem(503, "registry-unavailable", {}, { "Retry-After": "2" })],
];
for (const [name, refusal] of repeated) {
  test(`${name} is repeated within the race window, then told`, async () => {
    const stage = new Stage();
    const tab = await stage.tab({ raceWindow: 30 });
    stage.site.app = ({ path }) => (path === "/api/count" ? refusal() : undefined);
    const begun = stage.clock.now;
    const answer = await stage.outcome(tab.session.fetch("/api/count", { method: "POST", exclusive: true }));
    assert.equal(answer.status, refusal().status);
    const took = (stage.clock.now - begun) / 1000;
    assert.ok(took > 5 && took <= 31, `${took} s`);
    assert.ok(stage.site.to("/api/count").length >= 5);
    assert.equal(tab.status, "active");
    stage.close();
  });
}

const told: [string, () => Response][] = [
  ["state-lost", () => problem(409, "state-lost")],
  ["a conflict of the application's own", () => json(409, {})],
  ["500 without Retry-After", () => html(500)],
  ["not-found", () => problem(404, "not-found")],
];
for (const [name, refusal] of told) {
  test(`${name} is told at once`, async () => {
    const stage = new Stage();
    const tab = await stage.tab();
    stage.site.app = ({ path }) => (path === "/api/count" ? refusal() : undefined);
    await stage.outcome(tab.session.fetch("/api/count", { method: "POST", exclusive: true }));
    assert.equal(stage.site.to("/api/count").length, 1);
    stage.close();
  });
}

test("Retry-After is waited for", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  let busy = 1;
  stage.site.app = ({ path }) =>
    path === "/api/count" && busy-- > 0 ? problem(503, "registry-unavailable", {}, { "Retry-After": "7" }) : undefined;
  const answer = tab.session.fetch("/api/count", { method: "POST", exclusive: true });
  await stage.pass(6.9);
  assert.equal(stage.site.to("/api/count").length, 1);
  assert.equal((await stage.outcome(answer)).status, 200);
  stage.close();
});

test("no other update of the browser comes in between; reading may", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  const other = tab.browser.open();
  await stage.pass(1);
  let conflicts = 3;
  stage.site.app = ({ path }) => (path === "/api/count" && conflicts-- > 0 ? problem(409, "state-conflict") : undefined);
  stage.site.asked.length = 0;
  const update = tab.session.fetch("/api/count", { method: "POST", exclusive: true });
  const plain = other.session.fetch("/api/plain", { method: "POST" });
  const read = other.session.fetch("/api/read");
  await stage.outcome(Promise.all([update, plain, read]));
  const paths = stage.site.asked.map(({ path }) => path);
  assert.equal(paths.at(-1), "/api/plain");
  assert.ok(paths.indexOf("/api/read") < paths.lastIndexOf("/api/count"));
  stage.close();
});

test("plain updates of two tabs share a turn, and hold up nobody for more than ten seconds", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  const other = tab.browser.open();
  await stage.pass(1);
  stage.site.before = ({ path }) => (path === "/api/slow" ? new Promise(() => {}) : undefined);
  void tab.session.fetch("/api/slow", { method: "POST" }).catch(() => {});
  assert.equal((await stage.outcome(other.session.fetch("/api/plain", { method: "POST" }), 1)).status, 200);
  const login = other.session.login("/login", { user: "alice" });
  await stage.pass(8);
  assert.equal(stage.site.to("/login").length, 0);
  await stage.pass(2);
  assert.equal(stage.site.to("/login").length, 1);
  await stage.outcome(login);
  stage.close();
});

test("an update renews the session within its turn", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  await stage.pass(stage.site.accessLife);
  const updates = [1, 2].map(() => tab.session.fetch("/api/count", { method: "POST", exclusive: true }));
  const plain = tab.session.fetch("/api/plain", { method: "POST" });
  const answers = await stage.outcome(Promise.all([...updates, plain]), 20);
  assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200]);
  assert.equal(stage.site.to("/session/refresh").length, 1);
  stage.close();
});

test("the caller's signal ends the repetitions", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  stage.site.app = ({ path }) => (path === "/api/count" ? problem(409, "state-conflict") : undefined);
  const abort = new AbortController();
  const update = tab.session.fetch("/api/count", { method: "POST", exclusive: true, signal: abort.signal });
  const waiting = tab.session.fetch("/api/count", { method: "POST", exclusive: true, signal: abort.signal });
  const rejections = Promise.all([update, waiting].map((call) => assert.rejects(call, /enough/)));
  await stage.pass(3);
  const sent = stage.site.to("/api/count").length;
  abort.abort(new Error("enough"));
  await stage.outcome(rejections);
  await stage.pass(30);
  assert.equal(stage.site.to("/api/count").length, sent);
  stage.close();
});
