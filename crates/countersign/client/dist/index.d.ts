export { createSession } from "./session.js";
export type { Session, SessionInit, SessionOptions } from "./session.js";
export type { Channel, DpopModule, Environment, PageEvent, ProofOf, Prover } from "./environment.js";
export { Problem } from "./problem.js";
export type { ProblemCode, ProblemMembers } from "./problem.js";
export type { Ended, EndReason, Expiring, HandedOver, SessionEvents, SessionObject, State } from "./state.js";
export type { Store } from "./store.js";
