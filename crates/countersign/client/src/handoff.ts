// Continuing on another device: one device shows a code, the other redeems it after its person has said whose session it is.

import type { Core } from "./core.js";
import type { SessionObject } from "./state.js";
import { ask } from "./wire.js";

/** `Session.handoff`. */
export async function handoff(core: Core): Promise<{ code: string; expiresAt: number }> {
  const { code, expires_in: left } = await core._call<{ code: string; expires_in: number }>("POST", "/handoff");
  return { code, expiresAt: core._clock.now() + left };
}

/** Whose session a code continues. */
export interface Offer {
  subject: string;
  /** Where there is one: elsewhere, the same name may be anybody's. */
  tenant?: string;
  device?: string;
}

/** `Session.redeem`. */
export function redeem(core: Core, code: string): Promise<Offer>;
export function redeem(core: Core, code: string, confirm: string): Promise<SessionObject>;
export function redeem(core: Core, code: string, confirm?: string): Promise<Offer | SessionObject> {
  const path = "/handoff/redeem";
  // An empty confirmation is one too, and a wrong one. The question is nothing to do with a session that is here already.
  return confirm === undefined
    ? ask<Offer>(core, "POST", core._base + path, true, false, { code })
    : core._enter(path, { code, confirm });
}
