import type { Environment } from "./environment.js";
type Mode = "exclusive" | "shared";
/** Runs a task in its turn. The signal ends the waiting, not the task. */
export type Turns = <T>(mode: Mode, task: () => Promise<T>, signal?: AbortSignal | null) => Promise<T>;
/** `patience` tells, in milliseconds, how long to wait before going on without a turn: the holder is frozen, and the server copes with races. */
export declare function createTurns(environment: Environment, name: string, patience: () => number): Turns;
export {};
