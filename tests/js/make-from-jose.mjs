// Writes tests/vectors/token-from-jose.json: tokens as another implementation mints them, which the Rust tests read.
// Run by hand (`npm run vectors`) when the token format changes; the file is committed.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as jose from 'jose';
import { ALGORITHMS, fileOf, read } from './ring.mjs';

const ISSUER = 'https://shop.example';
const NOW = 1_790_000_100;
const SESSION = 'AQIDBAUGBwgJCgsMDQ4PEA';

const IDENTITY = {
  iss: ISSUER, sub: 'alice', client_id: 'shop', tenant: 'acme', sid: SESSION,
  session_started: 1_790_000_000, session_expiry: 1_791_209_600, auth_time: 1_789_999_990,
  amr: ['pwd', 'otp'], acr: 'aal2', born: [3, 41], cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' },
};

const CLAIMS = {
  access: {
    ...IDENTITY, aud: ['https://shop.example', 'https://api.example'], iat: 1_790_000_000, exp: 1_790_000_300,
    jti: 'access-1', ver: 7, seat: false, roles: ['buyer', 'café'], limits: { orders: 3 },
  },
  refresh: {
    ...IDENTITY, remember: false, aud: ISSUER, iat: 1_790_000_000, exp: 1_791_209_600, jti: 'refresh-1',
    rot: ['AAAAAt6tvu8', 'AAAAAcr-ur4', 1_790_000_000_123],
  },
  state: { iss: ISSUER, aud: ISSUER, exp: 1_791_209_600, sid: SESSION, ver: [7, 2], dv: 1, data: { items: ['tea', 'café'] } },
  visit: { iss: ISSUER, aud: ISSUER, exp: 1_791_209_600, ver: [0, 4], dv: 1, data: { items: ['tea'] } },
};

const TYPES = { access: 'at+jwt', refresh: 'rt+jwt', state: 'st+jwt', visit: 'st+jwt' };

async function ringOf(alg) {
  const file = await fileOf(alg);
  const ring = read(file);
  const each = (kinds, mint) => Promise.all(kinds.map(async (kind) => ({ kind, token: await mint(kind) })));
  const signed = await each(['access', 'refresh', 'state', 'visit'], (kind) => sign(alg, ring, kind));
  const sealed = await each(['state', 'visit'], (kind) => seal(ring, kind));
  return { alg, file, signed, sealed };
}

function sign(alg, { kid, signer }, kind) {
  return new jose.SignJWT(CLAIMS[kind]).setProtectedHeader({ alg, typ: TYPES[kind], kid }).sign(signer);
}

function seal({ kid, sealer }, kind) {
  const plaintext = new TextEncoder().encode(JSON.stringify(CLAIMS[kind]));
  const header = { alg: 'dir', enc: 'A256GCM', typ: TYPES[kind], kid };
  return new jose.CompactEncrypt(plaintext).setProtectedHeader(header).encrypt(sealer(ISSUER, CLAIMS[kind].sid));
}

const vectors = { issuer: ISSUER, now: NOW, claims: CLAIMS, rings: await Promise.all(ALGORITHMS.map(ringOf)) };
writeFileSync(join(import.meta.dirname, '../vectors/token-from-jose.json'), `${JSON.stringify(vectors, null, 2)}\n`);
