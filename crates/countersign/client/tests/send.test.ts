// `session.fetch`: like fetch, with the session, for its own origin only.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import test from "node:test";
import type { Problem } from "../src/index.js";
import { json, problem } from "./site.js";
import { Stage } from "./stage.js";

test("nothing of the session goes to another origin", async () => {
  const stage = new Stage();
  stage.site.transport = "bearer";
  const tab = await stage.tab();
  for (const url of ["https://evil.example/api", "http://shop.example/api", "https://shop.example:8443/api", "//evil.example/x"]) {
    for (const input of [url, new URL(url, stage.site.origin), new Request(new URL(url, stage.site.origin))]) {
      if (url.startsWith("//") && input === url) continue;
      await stage.outcome(tab.session.fetch(input, { method: "POST", exclusive: true, passive: true }));
      const { headers } = stage.site.asked.at(-1)!;
      assert.deepEqual([...headers.keys()].filter((name) => /auth|dpop|idem|session/.test(name)), [], url);
    }
  }
  stage.close();
});

test("requests of every shape arrive as they were meant, with the token", async () => {
  const stage = new Stage();
  stage.site.transport = "bearer";
  const tab = await stage.tab();
  const stream = () => new ReadableStream({ start: (controller) => (controller.enqueue(new TextEncoder().encode("text")), controller.close()) });
  const post = { method: "POST" };
  const form = new FormData();
  form.set("a", "b");
  const shapes: [string, RequestInfo | URL, RequestInit, string][] = [
    ["a relative address", "/api/me", {}, ""],
    ["an address relative to the page", "api/me", {}, ""],
    ["a URL", new URL("/api/me", stage.site.origin), {}, ""],
    ["a text", "/api/me", { ...post, body: "text" }, "text"],
    ["bytes", "/api/me", { ...post, body: new TextEncoder().encode("text") }, "text"],
    ["a Blob", "/api/me", { ...post, body: new Blob(["text"]) }, "text"],
    ["a form", "/api/me", { ...post, body: new URLSearchParams({ a: "b" }) }, "a=b"],
    ["a stream", "/api/me", { ...post, body: stream(), duplex: "half" } as RequestInit, "text"],
    ["a Request", new Request(`${stage.site.origin}/api/me`, { ...post, body: "text", headers: { "X-Own": "1" } }), {}, "text"],
    ["a Request that is changed", new Request(`${stage.site.origin}/api/me`, { ...post, body: "text" }), { body: "other" }, "other"],
    ["a Request of a stream", new Request(`${stage.site.origin}/api/me`, { ...post, body: stream(), duplex: "half" } as RequestInit), {}, "text"],
    ["a multipart form", "/api/me", { ...post, body: form }, "form-data"],
  ];
  for (const [name, input, init, body] of shapes) {
    // Whatever can be sent can be sent again.
    let refusals = 1;
    stage.site.app = ({ path }) => (path === "/api/me" && refusals-- > 0 ? problem(401, "token-expired") : undefined);
    assert.equal((await stage.outcome(tab.session.fetch(input, init))).status, 200, name);
    const [first, second] = stage.site.to("/api/me").slice(-2);
    assert.ok(first!.body.includes(body) && second!.body === first!.body, `${name}: ${first!.body}, ${second!.body}`);
    assert.equal(second!.headers.get("Content-Type"), first!.headers.get("Content-Type"), name);
    assert.match(second!.headers.get("Authorization")!, /^Bearer session/, name);
    assert.equal(input instanceof Request && input.headers.has("X-Own"), second!.headers.has("X-Own"), name);
    stage.site.asked.length = 0;
  }
  stage.close();
});

test("a body that was read already is an error before anything is sent", async () => {
  const stage = new Stage();
  const tab = await stage.tab();
  const request = new Request(`${stage.site.origin}/api/me`, { method: "POST", body: "text" });
  await request.text();
  const before = stage.site.asked.length;
  await assert.rejects(stage.outcome(tab.session.fetch(request)), TypeError);
  assert.equal(stage.site.asked.length, before);
  stage.close();
});

test("over a real network, a stream is sent again whole after a renewal", async () => {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await new Response(request as never).text();
    bodies.push(body);
    const refused = bodies.length === 1;
    response.writeHead(refused ? 401 : 200, { "Content-Type": refused ? "application/problem+json" : "text/plain" });
    response.end(refused ? '{"code":"token-expired"}' : "done");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stage = new Stage();
  const browser = stage.browser();
  stage.site.loggedIn(browser.jar);
  const network = stage.site.network(browser.jar);
  const tab = browser.open({
    environment: {
      location: () => origin,
      fetch: (input, init) => {
        const { pathname } = new URL(input instanceof Request ? input.url : input);
        if (pathname === "/session/events") return new Promise(() => {});
        return pathname === "/upload" ? fetch(input, init) : network(input, init);
      },
    },
  });
  await stage.outcome(tab.session.ready);
  const text = "0123456789".repeat(20_000);
  const answering = tab.session.fetch("/upload", { method: "PUT", body: new Blob([text]).stream(), duplex: "half" } as RequestInit);
  const pump = setInterval(() => void stage.pass(0.1), 5);
  assert.equal(await (await answering).text(), "done");
  clearInterval(pump);
  assert.deepEqual(bodies.map(({ length }) => length), [text.length, text.length]);
  stage.close();
  server.close();
  server.closeAllConnections();
});

test("a caller's own Authorization is left alone", async () => {
  const stage = new Stage();
  stage.site.transport = "bearer";
  const tab = await stage.tab();
  await stage.outcome(tab.session.fetch("/api/me", { headers: { Authorization: "Basic abc" } }).catch(() => {}));
  assert.equal(stage.site.to("/api/me")[0]!.headers.get("Authorization"), "Basic abc");
  stage.close();
});

test("a call before the first answer waits for it", async () => {
  const stage = new Stage();
  stage.site.transport = "bearer";
  stage.site.delay = () => 200;
  const browser = stage.browser();
  stage.site.loggedIn(browser.jar);
  const tab = browser.open();
  const answer = await stage.outcome(tab.session.fetch("/api/me"));
  assert.equal(answer.status, 200);
  assert.equal(stage.site.to("/api/me").length, 1);
  stage.close();
});

/** An application that wants a login of the last five minutes. */
async function stepUp(onStepUp: ((problem: Problem) => Promise<boolean>) | undefined, requests = 1) {
  const stage = new Stage();
  const tab = await stage.tab(onStepUp ? { onStepUp } : {});
  let fresh = false;
  stage.site.app = ({ path }, session) => {
    if (path !== "/api/password" || !session) return undefined;
    return fresh ? json(200, {}) : problem(401, "step-up-required", { max_age: 300 });
  };
  const login = async () => {
    await tab.session.login("/login", { user: "alice" });
    fresh = true;
  };
  const post = () => tab.session.fetch("/api/password", { method: "POST", body: "{}", exclusive: true });
  return { stage, tab, login, post, requests };
}

test("a stronger login is asked for, and the request is sent once more", async () => {
  const asked: Problem[] = [];
  const stage = await stepUp(async (problem) => {
    asked.push(problem);
    await stage.login();
    return true;
  });
  assert.equal((await stage.stage.outcome(stage.post())).status, 200);
  assert.deepEqual(asked.map(({ code, max_age }) => [code, max_age]), [["step-up-required", 300]]);
  const keys = stage.stage.site.to("/api/password").map(({ headers }) => headers.get("Idempotency-Key"));
  assert.equal(keys.length, 2);
  assert.equal(keys[0], keys[1]);
  stage.stage.close();
});

test("who declines, or cannot be asked, gets the refusal", async () => {
  for (const answer of [async () => false, undefined]) {
    const { stage, post } = await stepUp(answer);
    const response = await stage.outcome(post());
    assert.equal(((await response.json()) as { code: string }).code, "step-up-required");
    assert.equal(stage.site.to("/api/password").length, 1);
    stage.close();
  }
});

test("a login that was not enough is not asked for twice", async () => {
  let asked = 0;
  const { stage, post } = await stepUp(async () => !!++asked);
  assert.equal((await stage.outcome(post())).status, 401);
  assert.equal(asked, 1);
  assert.equal(stage.site.to("/api/password").length, 2);
  stage.close();
});

test("somebody else who logs in does not make the first person's request", async () => {
  const stage = await stepUp(async () => {
    await stage.tab.session.login("/login", { user: "bob" });
    return true;
  });
  await assert.rejects(stage.stage.outcome(stage.post()), { name: "AbortError" });
  assert.equal(stage.stage.site.to("/api/password").length, 1);
  stage.stage.close();
});
