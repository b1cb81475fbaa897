// The committed files that browsers load: that they are modules, export what is promised, and work as built.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { pathToFileURL } from "node:url";
import { EmbeddedJWK, jwtVerify } from "jose";

const load = (name: string, query = "") => import(`${pathToFileURL(`dist/${name}`)}${query}`);

test("the core exports what its declarations promise", async () => {
  assert.deepEqual(Object.keys(await load("client.js")), ["Problem", "createSession"]);
});

test("the core loads the other file by the name that its content has", async () => {
  const query = /"\.\/dpop\.js(\?v=[\w-]{22})"/.exec(readFileSync("dist/client.js", "utf8"))?.[1];
  assert.ok(query);
  const { createProver } = await load("dpop.js", query);
  const prover = await createProver("https://shop.example/session");
  const proof = await prover.proof({ method: "GET", url: "https://shop.example/api/me?a=1", now: Date.now() / 1000 });
  const { payload } = await jwtVerify(proof, EmbeddedJWK, { typ: "dpop+jwt" });
  assert.equal(payload["htu"], "https://shop.example/api/me");
});
