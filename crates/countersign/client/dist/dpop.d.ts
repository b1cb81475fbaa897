import type { Prover } from "./environment.js";
/** The members of a public P-256 key that its thumbprint is taken of. */
export interface PublicJwk {
    crv: "P-256";
    kty: "EC";
    x: string;
    y: string;
}
/** The prover of this origin and base: the same key for all its tabs, made where there is none yet. */
export declare function createProver(base: string): Promise<Prover>;
/** The SHA-256 thumbprint of a key (RFC 7638), as in `cnf.jkt`. */
export declare function thumbprint({ crv, kty, x, y }: PublicJwk): Promise<string>;
/** SHA-256 in base64url: the claim `ath` of a token. */
export declare function hash(text: string): Promise<string>;
