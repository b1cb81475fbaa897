// DPoP (RFC 9449): one ES256 key for each browser profile and base, which no script can read, and the proofs made with it.
// This is a file of its own, loaded when the server asks for proofs.

import type { ProofOf, Prover } from "./environment.js";
import { sharedKey } from "./key.js";

/** The members of a public P-256 key that its thumbprint is taken of. */
export interface PublicJwk {
  crv: "P-256";
  kty: "EC";
  x: string;
  y: string;
}

/** The prover of this origin and base: the same key for all its tabs, made where there is none yet. */
export async function createProver(base: string): Promise<Prover> {
  const { privateKey, publicKey } = await sharedKey(base);
  const { x = "", y = "" } = await crypto.subtle.exportKey("jwk", publicKey);
  const jwk: PublicJwk = { crv: "P-256", kty: "EC", x, y };
  const header = encode(JSON.stringify({ typ: "dpop+jwt", alg: "ES256", jwk }));
  return {
    async proof(of) {
      const signed = `${header}.${encode(JSON.stringify(await claims(of)))}`;
      const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, bytes(signed));
      return `${signed}.${encode(new Uint8Array(signature))}`;
    },
  };
}

/** The claims of a proof (RFC 9449, section 4.2). */
async function claims({ method, url, now, nonce, token }: ProofOf): Promise<object> {
  const { origin, pathname } = new URL(url);
  return {
    jti: encode(crypto.getRandomValues(new Uint8Array(16))),
    htm: method,
    htu: origin + pathname,
    iat: Math.floor(now),
    nonce,
    ath: token && (await hash(token)),
  };
}

/** The SHA-256 thumbprint of a key (RFC 7638), as in `cnf.jkt`. */
export function thumbprint({ crv, kty, x, y }: PublicJwk): Promise<string> {
  return hash(JSON.stringify({ crv, kty, x, y }));
}

/** SHA-256 in base64url: the claim `ath` of a token. */
export async function hash(text: string): Promise<string> {
  return encode(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes(text))));
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Base64url without padding, of bytes or of a text in UTF-8. */
function encode(data: Uint8Array | string): string {
  const binary = String.fromCharCode(...(typeof data === "string" ? bytes(data) : data));
  return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
