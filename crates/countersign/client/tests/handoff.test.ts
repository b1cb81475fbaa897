// Continuing on another device: a code from here, the question whose it is there, and only then a session.

import assert from "node:assert/strict";
import test from "node:test";
import { Problem } from "../src/index.js";
import { json, problem } from "./site.js";
import { Stage } from "./stage.js";

test("a code tells when it runs out, by the server's clock", async () => {
  const stage = new Stage();
  stage.site.skew = 7_200_000;
  const tab = await stage.tab();
  stage.site.app = ({ method, path }) => (`${method} ${path}` === "POST /session/handoff" ? json(200, { code: "c0de", expires_in: 60 }) : undefined);
  const { code, expiresAt } = await stage.outcome(tab.session.handoff());
  assert.equal(code, "c0de");
  assert.ok(Math.abs(expiresAt - (stage.site.now() + 60)) <= 1.5, `${expiresAt - stage.site.now()} seconds ahead`);
  stage.close();
});

/** A device where nobody is logged in, at a site that gave alice the code `c0de`. */
async function elsewhere() {
  const stage = new Stage();
  const tab = await stage.tab({}, null);
  stage.site.before = ({ path, body }) => {
    if (path !== "/session/handoff/redeem") return undefined;
    const { code, confirm } = JSON.parse(body);
    if (code !== "c0de") return problem(401, "token-invalid");
    if (confirm === undefined) return json(200, { subject: "alice", device: "Firefox on Linux" });
    if (confirm !== "alice") return problem(400, "bad-request");
    const session = stage.site.loggedIn(tab.browser.jar);
    return json(200, { session, token_type: "Bearer", expires_in: 300 });
  };
  return { stage, tab };
}

test("asking whose a code is changes nothing", async () => {
  const { stage, tab } = await elsewhere();
  assert.deepEqual(await stage.outcome(tab.session.redeem("c0de")), { subject: "alice", device: "Firefox on Linux" });
  assert.equal(tab.status, "signed-out");
  assert.equal(stage.site.asked.at(-1)!.body, '{"code":"c0de"}');
  stage.close();
});

test("confirming it continues the session here", async () => {
  const { stage, tab } = await elsewhere();
  const session = await stage.outcome(tab.session.redeem("c0de", "alice"));
  assert.ok(tab.state.status === "active" && tab.state.session.id === session.id);
  assert.equal((await stage.outcome(tab.session.fetch("/api/me"))).status, 200);
  stage.close();
});

for (const [code, confirm, expected] of [["c0de", "bob", "bad-request"], ["c0de", "", "bad-request"], ["other", undefined, "token-invalid"], ["other", "alice", "token-invalid"]] as const) {
  test(`a code ${code} confirmed by ${JSON.stringify(confirm)} is ${expected}, and logs nobody in or out`, async () => {
    const { stage, tab } = await elsewhere();
    const redeemed = confirm === undefined ? tab.session.redeem(code) : tab.session.redeem(code, confirm);
    const refused = await stage.outcome(redeemed.catch((error: unknown) => error));
    assert.ok(refused instanceof Problem && refused.code === expected, String(refused));
    assert.equal(tab.status, "signed-out");
    assert.equal(stage.site.to("/session/handoff/redeem").length, 1);
    stage.close();
  });
}

test("a code that is no good leaves the one who is logged in logged in", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  stage.site.before = ({ path }) => (path === "/session/handoff/redeem" ? problem(401, "token-invalid") : undefined);
  for (const redeem of [() => tab.session.redeem("x"), () => tab.session.redeem("x", "alice")]) {
    const refused = await stage.outcome((redeem() as Promise<unknown>).catch((error: unknown) => error));
    assert.ok(refused instanceof Problem && refused.code === "token-invalid");
  }
  assert.equal(stage.site.to("/session/handoff/redeem").length, 2);
  assert.equal(stage.site.to("/session/refresh").length, 0);
  assert.equal(tab.status, "active");
  assert.deepEqual(tab.ended, []);
  stage.close();
});
