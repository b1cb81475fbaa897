// A client that proves a key (RFC 9449), on node's own cryptography: proofs as they should be, and in every way that
// they should not.

import { createHash, createHmac, createPrivateKey, sign } from 'node:crypto';
import { KEYS } from './published.mjs';

export const url = (content) => Buffer.from(content).toString('base64url');
export const sha256 = (content) => createHash('sha256').update(content).digest('base64url');

const ALG = { ES256: 'ES256', Ed25519: 'EdDSA', thief: 'ES256' };

/** The public members of a key, in the order that RFC 7638 hashes them. */
export function publicJwk(name) {
  const { kty, crv, x, y } = KEYS[name];
  return y ? { crv, kty, x, y } : { crv, kty, x };
}

export const thumbprint = (name) => sha256(JSON.stringify(publicJwk(name)));

export const headerOf = (name) => ({ typ: 'dpop+jwt', alg: ALG[name], jwk: publicJwk(name) });

/** Signs these texts, whatever they are; bytes are bytes. */
export function signText(name, header, payload) {
  const signed = `${url(header)}.${url(payload)}`;
  return `${signed}.${signatureOf(name, signed).toString('base64url')}`;
}

export function signatureOf(name, signed) {
  const key = createPrivateKey({ key: KEYS[name], format: 'jwk' });
  return name === 'Ed25519' ? sign(null, Buffer.from(signed), key)
    : sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
}

export const signJson = (name, header, payload) => signText(name, JSON.stringify(header), JSON.stringify(payload));

export const hmac = (secret, signed) => createHmac('sha256', secret).update(signed).digest('base64url');

/** The same proof with another signature: what `change` makes of its 64 bytes. */
export function resigned(proof, change) {
  const at = proof.lastIndexOf('.') + 1;
  return proof.slice(0, at) + change(Buffer.from(proof.slice(at), 'base64url')).toString('base64url');
}

const number = (bytes) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
const bytes = (value) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');

const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const ED25519_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** ECDSA's other signature that is as good: s becomes n - s. */
export const otherS = (signature) =>
  Buffer.concat([signature.subarray(0, 32), bytes(P256_ORDER - number(signature.subarray(32)))]);

/** s becomes s + n, which is out of range. */
export function beyondOrder(signature) {
  const r = signature.subarray(0, 32);
  return Buffer.concat([r, bytes((number(signature.subarray(32)) + P256_ORDER) % 2n ** 256n)]);
}

/** Ed25519's S becomes S + L, which a lax verifier takes. */
export function beyondEd25519Order(signature) {
  const s = number(Buffer.from(signature.subarray(32)).reverse()) + ED25519_ORDER;
  return Buffer.concat([signature.subarray(0, 32), bytes(s).reverse()]);
}

/** The signature as a sequence of two integers, which JOSE does not use. */
export function der(signature) {
  const integer = (part) => Buffer.concat([Buffer.from([2, 33, 0]), part]);
  const both = Buffer.concat([integer(signature.subarray(0, 32)), integer(signature.subarray(32))]);
  return Buffer.concat([Buffer.from([0x30, both.length]), both]);
}
