// Tokens minted by Countersign, read by an independent JOSE implementation.
//
// Three files of one shape. The two committed ones show that neither side's reading of the wire format drifts; the one
// that the Rust tests minted a moment ago (COUNTERSIGN_MINTED) shows that today's code agrees.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import * as jose from 'jose';
import { read } from './ring.mjs';

const vectors = (name) => join(import.meta.dirname, '../vectors', name);
const MINTED = process.env.COUNTERSIGN_MINTED;

readsAll('minted by jose', vectors('token-from-jose.json'));
readsAll('minted by an earlier build', vectors('token-interop.json'));
if (MINTED) readsAll('minted by this build', MINTED);

function readsAll(title, path) {
  describe(title, () => {
    assert.ok(existsSync(path), `${path} is not there: run \`cargo test -p countersign-token --test interop\``);
    const { rings, ...shared } = JSON.parse(readFileSync(path, 'utf8'));
    assert.deepEqual(rings.map((ring) => ring.alg), ['EdDSA', 'ES256', 'HS256']);
    rings.forEach((ring) => readsRing(shared, ring));
  });
}

function readsRing(shared, ring) {
  const keys = read(ring.file);
  for (const { kind, token } of ring.signed) {
    test(`${ring.alg}: ${kind}, signed`, async () => {
      await verifies(shared, ring, keys.verifier, kind, token);
      if (ring.jwks?.keys.length) await verifies(shared, ring, jose.createLocalJWKSet(ring.jwks), kind, token);
      await assert.rejects(verifies(shared, ring, keys.verifier, kind, changed(token)), jose.errors.JWSSignatureVerificationFailed);
    });
  }
  for (const { kind, token } of ring.sealed) {
    test(`${ring.alg}: ${kind}, sealed`, async () => {
      const session = shared.claims[kind].sid;
      await opens(shared, keys.sealer(shared.issuer, session), kind, token);
      const another = keys.sealer(shared.issuer, session ? undefined : 'AQIDBAUGBwgJCgsMDQ4PEA');
      await assert.rejects(opens(shared, another, kind, token), jose.errors.JWEDecryptionFailed);
    });
  }
  if (!ring.jwks) return;
  test(`${ring.alg}: the JWKS shows no secret`, () => {
    assert.equal(ring.jwks.keys.length, ring.alg === 'HS256' ? 0 : 1);
    for (const key of ring.jwks.keys) assert.ok(!('d' in key || 'k' in key));
  });
}

async function verifies({ issuer, now, claims }, ring, key, kind, token) {
  const { payload, protectedHeader } = await jose.jwtVerify(token, key, {
    issuer, audience: issuer, currentDate: new Date(now * 1000), typ: typeOf(kind), algorithms: [ring.alg],
  });
  assert.deepEqual(payload, claims[kind]);
  assert.deepEqual(protectedHeader, { alg: ring.alg, typ: typeOf(kind), kid: ring.file.keys[0].kid });
}

async function opens({ claims }, key, kind, token) {
  const opened = await jose.compactDecrypt(token, key, { keyManagementAlgorithms: ['dir'] });
  assert.deepEqual(JSON.parse(new TextDecoder().decode(opened.plaintext)), claims[kind]);
  assert.equal(opened.protectedHeader.enc, 'A256GCM');
  assert.equal(opened.protectedHeader.typ, typeOf(kind));
}

function typeOf(kind) {
  return { access: 'at+jwt', refresh: 'rt+jwt' }[kind] ?? 'st+jwt';
}

/** The same token with one bit of its payload turned. */
function changed(token) {
  const [header, payload, signature] = token.split('.');
  const bytes = jose.base64url.decode(payload);
  bytes[10] ^= 1;
  return [header, jose.base64url.encode(bytes), signature].join('.');
}
