// The person's sessions: listed, ended one by one or all but this one, and the password asked for again on the way.

import assert from "node:assert/strict";
import test from "node:test";
import { Problem } from "../src/index.js";
import { json, problem, type Asked } from "./site.js";
import { Stage } from "./stage.js";

/** A site with alice here and on another device; `refuse` may say no before it ends anything. */
async function devices(refuse: (asked: Asked) => Response | undefined = () => undefined, options = {}) {
  const stage = new Stage();
  const other = stage.site.begin("alice");
  stage.site.app = (asked, session) => {
    const { method, path } = asked;
    if (!session || (method === "GET" && path === "/session")) return undefined;
    if (path === "/session/list") return json(200, { sessions: [session, { ...other, current: false }] });
    const refused = refuse(asked);
    if (refused) return refused;
    if (path === "/session/logout-others") return json(200, { ended: 1 });
    const id = method === "DELETE" && decodeURIComponent(path.slice("/session/".length));
    if (!id) return undefined;
    if (id !== other.id && id !== session.id) return problem(404, "not-found");
    stage.site.end(id, "ended-by-user");
    return new Response(null, { status: 204 });
  };
  const tab = await stage.tab(options);
  return { stage, other, tab };
}

test("lists all sessions of the person", async () => {
  const { stage, other, tab } = await devices();
  const list = await stage.outcome(tab.session.list());
  assert.deepEqual(list.map(({ id, current }) => [id, current]), [["session2", true], [other.id, false]]);
  stage.close();
});

test("ends another one, and stays logged in", async () => {
  const { stage, other, tab } = await devices();
  await stage.outcome(tab.session.end(other.id));
  assert.equal(stage.site.isLive(other.id), false);
  assert.equal(tab.status, "active");
  stage.close();
});

test("ends its own, and knows it at once in every tab", async () => {
  const { stage, tab } = await devices();
  const second = tab.browser.open();
  await stage.pass(1);
  assert.ok(tab.state.status === "active");
  await stage.outcome(tab.session.end(tab.state.session.id));
  await stage.pass(0);
  for (const { state } of [tab, second]) assert.deepEqual(state, { status: "ended", reason: "ended-by-user" });
  stage.close();
});

test("an id is sent as one segment, whatever is in it", async () => {
  const { stage, tab } = await devices();
  const refused = await stage.outcome(tab.session.end("../logout?a#b").catch((error: unknown) => error));
  assert.ok(refused instanceof Problem && refused.code === "not-found");
  assert.equal(stage.site.asked.at(-1)!.path, "/session/..%2Flogout%3Fa%23b");
  assert.equal(tab.status, "active");
  stage.close();
});

test("ends all others, and tells how many there were", async () => {
  const { stage, tab } = await devices();
  assert.equal(await stage.outcome(tab.session.endOthers()), 1);
  stage.close();
});

for (const agreed of [true, false]) {
  test(`where the server wants a fresh login, the application is asked: ${agreed ? "it" : "nothing"} is done`, async () => {
    let fresh = false;
    const asked: Problem[] = [];
    const onStepUp = async (problem: Problem) => {
      asked.push(problem);
      fresh = agreed;
      return agreed;
    };
    const refuse = () => (fresh ? undefined : problem(401, "step-up-required", { max_age: 300 }));
    const { stage, other, tab } = await devices(refuse, { onStepUp });
    const outcome = await stage.outcome(tab.session.end(other.id).catch((error: unknown) => error));
    assert.deepEqual(asked.map(({ code, max_age }) => [code, max_age]), [["step-up-required", 300]]);
    assert.equal(outcome instanceof Problem && outcome.code, agreed ? false : "step-up-required");
    assert.equal(stage.site.isLive(other.id), !agreed);
    stage.close();
  });
}
