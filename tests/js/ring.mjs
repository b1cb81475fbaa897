// A key ring file as another implementation would write and read it: the format of docs/WIRE.md, on node's own
// cryptography and jose.

import { createHmac, createPrivateKey, createPublicKey, hkdfSync } from 'node:crypto';
import * as jose from 'jose';
import { KEYS } from './published.mjs';

// Keys that were published to be tested with; the last is of RFC 7515 (A.1).
const PUBLISHED = {
  EdDSA: KEYS.Ed25519,
  ES256: KEYS.ES256,
  HS256: {
    kty: 'oct',
    k: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
  },
};

const SEAL = Buffer.alloc(32, 7);
const SINCE_MS = 1_790_000_000_000;

export const ALGORITHMS = Object.keys(PUBLISHED);

/** A ring file of one signing key of this algorithm. */
export async function fileOf(alg) {
  const jwk = PUBLISHED[alg];
  const octets = jwk.kty === 'oct' ? Buffer.from(jwk.k, 'base64url') : pkcs8(jwk);
  const key = { kid: await nameOf(jwk), state: 'signing', since: SINCE_MS, private: octets.toString('base64url'), seal: SEAL.toString('base64url') };
  return { version: 1, algorithm: alg, keys: [key], removed: {} };
}

/** What a ring file says: its signing key by name, to sign with, to verify with, and to seal with. */
export function read(file) {
  const { kid, private: octets, seal } = file.keys.find((key) => key.state === 'signing');
  const bytes = Buffer.from(octets, 'base64url');
  const signer = file.algorithm === 'HS256' ? bytes : createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' });
  const verifier = file.algorithm === 'HS256' ? bytes : createPublicKey(signer);
  const sealer = (issuer, session) => sealingKey(Buffer.from(seal, 'base64url'), issuer, session);
  return { kid, signer, verifier, sealer };
}

/** The key of one session's state, or of a visit's: HKDF (RFC 5869) over each part after its length. */
function sealingKey(secret, issuer, session) {
  const parts = [issuer, session ? 'session' : 'visit', Buffer.from(session ?? '', 'base64url')].map((part) => Buffer.from(part));
  const info = Buffer.concat(parts.flatMap((part) => [eightBytes(part.length), part]));
  return new Uint8Array(hkdfSync('sha256', secret, 'countersign seal v1', info, 32));
}

function eightBytes(number) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(number));
  return bytes;
}

function pkcs8(jwk) {
  return createPrivateKey({ key: jwk, format: 'jwk' }).export({ type: 'pkcs8', format: 'der' });
}

/** RFC 7638 for a key that may be shown; for a secret, a digest that tells nothing of it. */
async function nameOf(jwk) {
  if (jwk.kty !== 'oct') return jose.calculateJwkThumbprint(jwk);
  const digest = createHmac('sha256', Buffer.from(jwk.k, 'base64url')).update('countersign kid v1').digest();
  return digest.subarray(0, 16).toString('base64url');
}
