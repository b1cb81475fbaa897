// The refusals of the contract, by the vectors that the server is held to.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { Problem, type ProblemCode } from "../src/index.js";
import { problemOf } from "../src/problem.js";
import { html } from "./site.js";

interface Vector {
  name: string;
  http: { status: number; headers: Record<string, string>; body: { code: string; detail: string } & Record<string, unknown> };
}

const VECTORS: Vector[] = JSON.parse(readFileSync(new URL("../../../../../../tests/vectors/problems.json", import.meta.url), "utf8"));

/** The compiler refuses this where the union has a code more or less. */
const CODES: Record<ProblemCode, true> = {
  "bad-request": true,
  "body-too-large": true,
  "cross-site": true,
  "dpop-invalid": true,
  "dpop-required": true,
  "headers-too-large": true,
  internal: true,
  "login-failed": true,
  "method-not-allowed": true,
  "not-authenticated": true,
  "not-found": true,
  "refresh-reused": true,
  "registry-unavailable": true,
  "request-timeout": true,
  "session-ended": true,
  "sessions-limit": true,
  "state-conflict": true,
  "state-lost": true,
  "state-superseded": true,
  "state-too-large": true,
  "step-up-required": true,
  "token-expired": true,
  "token-invalid": true,
  "too-many-requests": true,
  "unsupported-media-type": true,
  "use-dpop-nonce": true,
};

test("every code of the server is in the union, and no other", () => {
  const codes = new Set(VECTORS.map(({ http }) => http.body.code));
  assert.deepEqual([...codes].sort(), Object.keys(CODES).sort());
});

for (const { name, http } of VECTORS) {
  test(`a refusal is read with all its members: ${name}, ${http.body.detail}`, async () => {
    const response = new Response(JSON.stringify(http.body), { status: http.status, headers: http.headers });
    const problem = await problemOf(response);
    assert.ok(problem instanceof Problem && problem instanceof Error);
    assert.equal(problem.message, http.body.detail);
    for (const [member, value] of Object.entries(http.body)) {
      assert.deepEqual(problem[member as keyof Problem], value, member);
    }
    assert.deepEqual(await response.json(), http.body, "the body can still be read");
  });
}

const malformed: [string, Response][] = [
  ["HTML of a proxy", html(502)],
  ["HTML that says 401", html(401)],
  ["no body", new Response(null, { status: 401 })],
  ["JSON of somebody else", Response.json({ code: "session-ended" }, { status: 401 })],
  ["a document cut off", new Response('{"code":"session-e', { status: 401, headers: { "Content-Type": "application/problem+json" } })],
  ["a document that is no object", new Response("null", { status: 401, headers: { "Content-Type": "application/problem+json" } })],
  ["a code that is no text", new Response('{"code":1}', { status: 401, headers: { "Content-Type": "application/problem+json" } })],
];
for (const [name, response] of malformed) {
  test(`what is no problem document has no code: ${name}`, async () => {
    const problem = await problemOf(response);
    assert.equal(problem.code, undefined);
    assert.equal(problem.status, response.status);
    assert.equal(problem.message, `The server answered ${response.status}.`);
  });
}

test("the document of a newer server is a Problem too, and cannot pose as another status or kind of error", async () => {
  const body = JSON.stringify({ code: "from-the-future", status: 200, name: "TypeError", more: [1] });
  const response = new Response(body, { status: 418, headers: { "Content-Type": "application/problem+json; charset=utf-8" } });
  const problem = await problemOf(response);
  assert.deepEqual([problem.code as string, problem.status, problem.name], ["from-the-future", 418, "Problem"]);
});
