// The proofs of tests/vectors/dpop.json, read by an independent JOSE implementation: what the cases say of keys and
// signatures is true whoever looks at them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import * as jose from 'jose';

const { keys, cases } = JSON.parse(readFileSync(join(import.meta.dirname, '../vectors/dpop.json'), 'utf8'));

const verified = ({ proof }) => jose.compactVerify(proof, jose.EmbeddedJWK, { algorithms: ['ES256', 'EdDSA', 'Ed25519'] });
const claimsOf = ({ payload }) => JSON.parse(new TextDecoder().decode(payload));

describe('the keys', () => {
  for (const [name, { jwk, thumbprint }] of Object.entries(keys)) {
    test(name, async () => assert.equal(await jose.calculateJwkThumbprint(jwk), thumbprint));
  }
});

describe('a proof that is good', () => {
  for (const each of cases.filter(({ expect }) => expect.ok)) {
    test(each.name, async () => {
      const proof = await verified(each);
      assert.equal(await jose.calculateJwkThumbprint(proof.protectedHeader.jwk), each.expect.thumbprint);
      const claims = claimsOf(proof);
      assert.equal(claims.htm, each.request.method);
      assert.ok(Math.abs(claims.iat - each.now) <= each.window);
      assert.equal(claims.nonce, each.nonces[each.expect.nonce]);
      assert.equal(new URL(claims.htu).origin, each.request.origin);
    });
  }
});

describe('a proof whose signature is not its key\'s', () => {
  for (const each of cases.filter(({ expect }) => expect.check === 5)) {
    test(each.name, async () => assert.rejects(verified(each)));
  }
});

describe('a proof that is well signed, and claims the wrong thing', () => {
  for (const each of cases.filter(({ expect }) => expect.check > 5)) {
    test(each.name, async () => assert.doesNotReject(verified(each)));
  }
});

test('each check has cases of its own, with names of their own', () => {
  const checks = new Set(cases.filter(({ expect }) => !expect.ok).map(({ expect }) => expect.check));
  assert.deepEqual([...checks].sort((a, b) => a - b), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  const names = cases.map(({ name }) => name);
  assert.deepEqual(names.filter((name, at) => names.indexOf(name) !== at), []);
});
