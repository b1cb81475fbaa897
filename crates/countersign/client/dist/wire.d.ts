import type { Core } from "./core.js";
import { Problem, type ProblemCode } from "./problem.js";
/**
 * Sends a request with this tab's access token and, once the server has asked for them, proofs of possession.
 * It is made anew for each sending: twice at most, where the server asks for a proof or for another nonce.
 */
export declare function send(core: Core, url: string, make: () => [RequestInfo, RequestInit], bare?: boolean): Promise<Response>;
/** How to ask a mounted endpoint. */
export interface Ask {
    _body?: object | undefined;
    _headers?: Record<string, string>;
    _passive?: boolean;
    /** Without the access token: it is not what counts here. */
    _bare?: boolean;
}
/**
 * Asks an endpoint of the framework, or an application's login, for JSON. Throws a Problem for a refusal. Gives up
 * after a third of the race window; whatever is neither a refusal nor the JSON of the contract is a TypeError: weather.
 */
export declare function ask<T>(core: Core, method: string, path: string, options?: Ask): Promise<T>;
/** The JSON of an answer. Throws a Problem for a refusal. */
export declare function read<T>(response: Response): Promise<T>;
/** What a proxy answered in the server's place. */
export declare function nonsense(): TypeError;
/** Whether an error is a refusal with this code. */
export declare function isCode(error: unknown, ...codes: string[]): error is Problem & {
    code: ProblemCode;
};
