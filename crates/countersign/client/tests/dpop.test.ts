// Proofs are judged by jose, an implementation of its own.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader, EmbeddedJWK, jwtVerify } from "jose";
import { createProver, hash, thumbprint, type PublicJwk } from "../src/dpop.js";
import type { ProofOf } from "../src/environment.js";

const NOW = 1_790_000_000.75;
const REQUEST: ProofOf = { method: "POST", url: "https://shop.example/session/refresh?a=b#c", now: NOW };

async function proven(of: Partial<ProofOf>) {
  const prover = await createProver("https://shop.example/session");
  return jwtVerify(await prover.proof({ ...REQUEST, ...of }), EmbeddedJWK, {
    typ: "dpop+jwt",
    algorithms: ["ES256"],
    currentDate: new Date(NOW * 1000),
  });
}

test("a proof names its request, without query and fragment", async () => {
  const { payload } = await proven({});
  assert.equal(payload["htm"], "POST");
  assert.equal(payload["htu"], "https://shop.example/session/refresh");
  assert.equal(payload.iat, 1_790_000_000);
  assert.ok(payload.jti && payload.jti.length >= 16 && payload.jti.length <= 128);
});

test("a proof has a nonce and a token's hash only where it was given them", async () => {
  const bare = await proven({});
  assert.ok(!("nonce" in bare.payload) && !("ath" in bare.payload));
  const full = await proven({ nonce: "n-1", token: "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU" });
  assert.equal(full.payload["nonce"], "n-1");
  // The value is the example of RFC 9449, section 7.1.
  assert.equal(full.payload["ath"], "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
});

test("every proof is another one", async () => {
  const prover = await createProver("https://shop.example/session");
  const proofs = await Promise.all(Array.from({ length: 50 }, () => prover.proof(REQUEST)));
  const ids = await Promise.all(proofs.map(async (proof) => (await jwtVerify(proof, EmbeddedJWK, { currentDate: new Date(NOW * 1000) })).payload.jti));
  assert.equal(new Set(ids).size, 50);
});

test("the header holds the public key and nothing of the private one", async () => {
  const prover = await createProver("https://shop.example/session");
  const { jwk } = decodeProtectedHeader(await prover.proof(REQUEST));
  assert.deepEqual(Object.keys(jwk ?? {}).sort(), ["crv", "kty", "x", "y"]);
});

test("a thumbprint is the one that others calculate", async () => {
  const { publicKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
  const { x = "", y = "" } = await crypto.subtle.exportKey("jwk", publicKey);
  const jwk = { crv: "P-256", kty: "EC", x, y } as const;
  assert.equal(await thumbprint(jwk), await calculateJwkThumbprint(jwk));
  assert.equal(await hash("abc"), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
});

// The server's tests read the same file.
const vectors = "../../../tests/vectors/dpop.json";

interface Vectors {
  keys: Record<string, { jwk: PublicJwk; thumbprint: string }>;
  cases: { name: string; proof: string; token: string | null; expect: { ok: boolean } }[];
}

test("thumbprints and tokens' hashes are those that the server knows", async () => {
  const { keys, cases }: Vectors = JSON.parse(readFileSync(vectors, "utf8"));
  for (const { jwk, thumbprint: expected } of Object.values(keys).filter(({ jwk }) => jwk.crv === "P-256")) {
    assert.equal(await thumbprint(jwk), expected);
  }
  const bound = cases.filter(({ token, expect }) => token && expect.ok);
  assert.notEqual(bound.length, 0);
  for (const { name, proof, token } of bound) assert.equal(decodeJwt(proof)["ath"], await hash(token!), name);
});
