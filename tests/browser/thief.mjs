// A thief with Node: has read a token (and a proof) out of a page's memory, and asks the server with them.

import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';

export class Thief {
  #origin;
  #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  constructor(origin) {
    this.#origin = origin;
  }

  /** Asks with these headers; what the server says to it. */
  async asks(path, headers, method = 'GET') {
    const answer = await fetch(this.#origin + path, { method, headers });
    const { code } = await answer.json().catch(() => ({}));
    return { status: answer.status, code, nonce: answer.headers.get('dpop-nonce') };
  }

  /** A proof as good as it can be without the victim's key (RFC 9449, section 4.2). */
  proof({ method, path, token, nonce }) {
    const { kty, crv, x, y } = this.#keys.publicKey.export({ format: 'jwk' });
    const ath = createHash('sha256').update(token).digest('base64url');
    const claims = { jti: randomUUID(), htm: method, htu: this.#origin + path, iat: Math.floor(Date.now() / 1000), ath, nonce };
    const signed = [{ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const signature = sign('sha256', Buffer.from(signed), { key: this.#keys.privateKey, dsaEncoding: 'ieee-p1363' });
    return `${signed}.${signature.toString('base64url')}`;
  }
}

/** What a proof says. */
export function read(proof) {
  const [header, claims] = proof.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url')));
  return { ...claims, jwk: header.jwk };
}
