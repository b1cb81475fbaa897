// Who a request is from, and where it goes: never as somebody else, and nothing of the session to anybody else.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import test from "node:test";
import { json, problem } from "./site.js";
import { Stage } from "./stage.js";

const NOTE = { method: "POST", body: "alice's" };

/** One tab writes as alice, while another of the same browser logs in. Who the server took the writer for. */
async function whoWrote(login: string, init: object, environment: object = {}, tenants: Record<string, string> = {}) {
  const stage = new Stage();
  const wrote: string[] = [];
  const begin = stage.site.begin.bind(stage.site);
  stage.site.begin = (subject) => Object.assign(begin(subject), { tenant: tenants[subject] ?? null });
  stage.site.app = ({ path }, session) => {
    if (path !== "/api/note") return undefined;
    wrote.push(`${session?.subject}${session?.tenant ?? ""}`);
    return json(200, {});
  };
  const tab = await stage.tab({ environment });
  const other = tab.browser.open({ environment });
  await stage.pass(3);
  stage.site.delay = () => 200;
  tenants["alice"] = "2";
  const loggingIn = other.session.login("/login", { user: login });
  await stage.pass(0.1);
  const writing = tab.session.fetch("/api/note", { ...NOTE, ...init }).then(({ status }) => status, ({ name }: Error) => name);
  await stage.outcome(loggingIn);
  const outcome = await stage.outcome(writing, 5);
  await stage.pass(100);
  stage.close();
  return { wrote, outcome };
}

const worlds: [string, object][] = [["", {}], [" that hears no other tab", { openChannel: undefined }]];
for (const [world, environment] of worlds) {
  for (const init of [{}, { exclusive: true }]) {
    const what = `${"exclusive" in init ? "an exclusive" : "a plain"} update of a page${world}`;
    test(`${what} is not made as the one who logged in meanwhile`, async () => {
      assert.deepEqual(await whoWrote("bob", init, environment), { wrote: [], outcome: "AbortError" });
    });
    test(`${what} is not made as one of the same name of another tenant`, async () => {
      assert.deepEqual(await whoWrote("alice", init, environment), { wrote: [], outcome: "AbortError" });
    });
  }
}

test("what waits for a renewal is not sent as the one who logged in meanwhile", async () => {
  for (const method of ["GET", "POST"]) {
    const stage = new Stage();
    stage.site.transport = "bearer";
    const tab = await stage.tab();
    const other = tab.browser.open();
    await stage.pass(3);
    other.close();
    // Nobody tells this tab: the refresh cookie is another one's now.
    stage.site.loggedIn(tab.browser.jar, "bob");
    await stage.pass(400);
    const asked = stage.site.to("/api/note").length;
    const outcome = await stage.outcome(tab.session.fetch("/api/note", { method }).catch((error: Error) => error.name));
    assert.equal(outcome, "AbortError");
    assert.equal(stage.site.to("/api/note").length, asked);
    assert.ok(tab.state.status === "active" && tab.state.session.subject === "bob");
    stage.close();
  }
});

test("a login that waited for its turn does not take the place of the one who logged in meanwhile", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  const other = tab.browser.open();
  await stage.pass(3);
  stage.site.delay = () => 200;
  const loggingIn = other.session.login("/login", { user: "bob" });
  await stage.pass(0.1);
  // As a change of the password is, which is made as whoever is here.
  const again = tab.session.login("/login", { user: "alice" }).catch((error: Error) => error.name);
  await stage.outcome(loggingIn);
  assert.equal(await stage.outcome(again, 5), "AbortError");
  assert.equal(stage.site.to("/login").length, 1);
  stage.close();
});

test("an address within the page's memory is not at the session's origin", async () => {
  const stage = new Stage();
  stage.site.transport = "bearer";
  const tab = await stage.tab();
  await stage.outcome(tab.session.fetch(`blob:${stage.site.origin}/1234`, { passive: true }).catch(() => {}));
  const { headers } = stage.site.asked.at(-1)!;
  assert.deepEqual([...headers.keys()], []);
  stage.close();
});

test("sessions of two origins in one page have nothing in common", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  const foreign = tab.browser.open({ base: "https://api.example/session" });
  assert.notEqual(tab.channels[0]!.name, foreign.channels[0]!.name);
  stage.close();
});

test("an answer from where a redirect led is not the word of the session's server", async () => {
  for (const code of ["session-ended", "token-expired", "step-up-required"]) {
    const stage = new Stage();
    let asked = 0;
    const tab = await stage.tab({ onStepUp: async () => !!++asked });
    const before = stage.site.to("/session/refresh").length;
    stage.site.app = ({ path }) => {
      if (path !== "/away") return undefined;
      const answer = problem(401, code, { reason: "logout" }, { "WWW-Authenticate": "DPoP", "DPoP-Nonce": "theirs" });
      return Object.defineProperty(answer, "url", { value: "https://evil.example/there" });
    };
    assert.equal((await stage.outcome(tab.session.fetch("/away"))).status, 401);
    await stage.pass(1);
    assert.deepEqual([asked, stage.site.to("/session/refresh").length, tab.statuses.includes("ended")], [0, before, false], code);
    stage.close();
  }
});

async function listen(listener: RequestListener): Promise<[origin: string, close: () => void]> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => (server.close(), server.closeAllConnections());
  return [`http://127.0.0.1:${(server.address() as AddressInfo).port}`, close];
}

test("no redirect takes a password elsewhere", async () => {
  let arrived = 0;
  const [elsewhere, closeElsewhere] = await listen((_, response) => (arrived++, response.end("{}")));
  const [origin, close] = await listen((_, response) => response.writeHead(307, { Location: `${elsewhere}/login` }).end());
  const stage = new Stage();
  stage.random = () => 0;
  const tab = stage.browser().open({ environment: { location: () => origin, fetch: (input, init) => fetch(input, init), setTimeout, clearTimeout: clearTimeout as never } });
  await assert.rejects(tab.session.login("/login", { user: "alice", password: "correct horse" }), TypeError);
  assert.equal(arrived, 0);
  stage.close();
  close();
  closeElsewhere();
});

test("a clock that was set while the page was open makes no proof wrong for long", async () => {
  const stage = new Stage();
  stage.site.transport = "bearer";
  const dpop = { "WWW-Authenticate": "DPoP" };
  let set = 0;
  stage.site.app = ({ path, headers }) => {
    if (path !== "/api/me") return undefined;
    const proof = headers.get("DPoP");
    if (!proof) return problem(401, "dpop-required", {}, dpop);
    if (Math.abs(Number(proof) - stage.site.now()) < 60) return json(200, {});
    return problem(401, "dpop-invalid", {}, dpop);
  };
  const prover = { proof: async ({ now }: { now: number }) => `${now}` };
  const tab = await stage.tab({ environment: { now: () => stage.clock.now + set, loadDpop: async () => ({ createProver: async () => prover }) } });
  const post = () => stage.outcome(tab.session.fetch("/api/me", { method: "POST" }));
  assert.equal((await post()).status, 200);
  set = -600_000;
  assert.equal((await post()).status, 200);
  assert.equal((await post()).status, 200);
  assert.equal(stage.site.to("/api/me").length, 2 + 2 + 1);
  // What the clock does not explain was perhaps done: it is not sent twice.
  stage.site.app = () => problem(401, "dpop-invalid", {}, dpop);
  assert.equal((await post()).status, 401);
  assert.equal(stage.site.to("/api/me").length, 6);
  stage.close();
});
