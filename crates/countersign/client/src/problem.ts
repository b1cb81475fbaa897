// A refusal of the server: its problem document (RFC 9457) as an Error.

import type { EndReason, SessionObject } from "./state.js";

/** Every code of the HTTP contract. A newer server may know more: read an unknown one by its `status`. */
export type ProblemCode =
  | "bad-request"
  | "body-too-large"
  | "cross-site"
  | "dpop-invalid"
  | "dpop-required"
  | "headers-too-large"
  | "internal"
  | "login-failed"
  | "method-not-allowed"
  | "not-authenticated"
  | "not-found"
  | "refresh-reused"
  | "registry-unavailable"
  | "request-timeout"
  | "session-ended"
  | "sessions-limit"
  | "state-conflict"
  | "state-lost"
  | "state-superseded"
  | "state-too-large"
  | "step-up-required"
  | "token-expired"
  | "token-invalid"
  | "too-many-requests"
  | "unsupported-media-type"
  | "use-dpop-nonce";

/** The members of a problem document. Which of them are there depends on the code. */
export interface ProblemMembers {
  title?: string;
  detail?: string;
  /** Why the session has ended (`session-ended`); absent where the server does not know any more. */
  reason?: EndReason;
  /** Which limit is full (`sessions-limit`). */
  scope?: "user" | "tenant" | "site";
  /** How many the limit admits (`sessions-limit`), or how many bytes the state may have (`state-too-large`). */
  limit?: number;
  /** The size of the state in bytes (`state-too-large`). */
  size?: number;
  /** When it is worth trying again, in seconds from now (`sessions-limit`). */
  retry_after?: number;
  /** The person's own sessions, one of which may be ended to go on (`sessions-limit` with the rule `ask`). */
  sessions?: SessionObject[];
  /** The one-time code that goes with `sessions`, for `Session.admit`. */
  choice?: string;
  /** How old an authentication may be, in seconds (`step-up-required`). */
  max_age?: number;
  /** How strong it must be (`step-up-required`). */
  acr_values?: string[];
}

/** What the server refused, and why. `message` is a sentence for people. */
export interface Problem extends ProblemMembers {}
export class Problem extends Error {
  declare readonly status: number;
  /** What the refusal is for programs; `undefined` where the answer was no problem document of ours. */
  declare readonly code: ProblemCode | undefined;
  /** @internal The answer itself, its body unread. */
  declare readonly _response: Response | undefined;

  constructor(status: number, members: ProblemMembers & { code?: ProblemCode } = {}, response?: Response) {
    super(members.detail ?? `The server answered ${status}.`);
    Object.assign(this, members, { name: "Problem", status, code: members.code, _response: response });
  }
}

/** Reads a refusal, and leaves the body to be read again. What is no problem document is a Problem without a code. */
export async function problemOf(response: Response): Promise<Problem> {
  const ours = response.headers.get("Content-Type")?.startsWith("application/problem+json");
  const members: unknown = ours && (await response.clone().json().catch(() => undefined));
  return new Problem(response.status, isProblem(members) ? members : {}, response);
}

function isProblem(members: unknown): members is ProblemMembers & { code: ProblemCode } {
  return typeof (members as { code?: unknown } | null)?.code === "string";
}

/** Whether an error is a refusal with this code. */
export function isCode(error: unknown, ...codes: string[]): error is Problem & { code: ProblemCode } {
  return error instanceof Problem && codes.includes(error.code ?? "");
}
