// One thing at a time in all tabs of this browser, by Web Locks; where they are missing or forbidden, in this tab.

import type { Environment } from "./environment.js";
import { within } from "./patience.js";

type Mode = "exclusive" | "shared";
type Release = () => void;
type Request = (mode: Mode, signal: AbortSignal, holding: () => Promise<void>) => Promise<unknown>;

/** Runs a task in its turn. The signal ends the waiting, not the task. */
export type Turns = <T>(mode: Mode, task: () => Promise<T>, signal?: AbortSignal | null) => Promise<T>;

/** `patience` tells, in milliseconds, how long to wait before going on without a turn: the holder is frozen, and the server copes with races. */
export function createTurns(environment: Environment, name: string, patience: () => number): Turns {
  const { locks } = environment;
  const local = createQueue();
  let request: Request = locks ? (mode, signal, holding) => locks.request(name, { mode, signal }, holding) : local;

  async function take(mode: Mode, signal: AbortSignal): Promise<Release> {
    try {
      return await granted(request, mode, signal);
    } catch {
      signal.throwIfAborted();
      // Forbidden here.
      return granted((request = local), mode, signal);
    }
  }

  return async (mode, task, signal) => {
    let turn: Promise<Release> | undefined;
    try {
      await within(environment, patience(), signal, (waiting) => (turn = take(mode, waiting)));
    } catch {
      turn?.then((release) => release(), () => {});
      turn = undefined;
      signal?.throwIfAborted();
    }
    try {
      return await task();
    } finally {
      (await turn)?.();
    }
  };
}

/** Waits until a lock is granted; it is held until what this resolves to is called. */
function granted(request: Request, mode: Mode, signal: AbortSignal): Promise<Release> {
  return new Promise((resolve, reject) => {
    const holding = () => new Promise<void>((release) => (signal.aborted ? release() : resolve(release)));
    request(mode, signal, holding).catch(reject);
  });
}

/** Within one tab, those who want to be alone wait for each other. */
function createQueue(): Request {
  let last: Promise<unknown> = Promise.resolve();
  return (mode, _signal, holding) => (mode === "shared" ? holding() : (last = last.then(holding)));
}
