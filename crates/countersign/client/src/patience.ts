// Waiting that can be given up.

import type { Environment } from "./environment.js";

type Signal = AbortSignal | null | undefined;

/** A promise that fails as soon as the signal is aborted. */
export function until<T>(promise: Promise<T>, signal: Signal): Promise<T> {
  if (!signal) return promise;
  return new Promise<T>((resolve, reject) => {
    const giveUp = () => reject(signal.reason);
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", giveUp));
  });
}

/** Waits for some milliseconds. */
export async function pause(environment: Environment, milliseconds: number, signal?: Signal): Promise<void> {
  await within(environment, milliseconds, signal, () => new Promise(() => {})).catch(() => signal?.throwIfAborted());
}

/** Runs a task with a signal that is aborted after some milliseconds, or with the given one. */
export async function within<T>(
  environment: Environment,
  milliseconds: number,
  given: Signal,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const patience = new AbortController();
  const giveUp = () => patience.abort(new DOMException("", "TimeoutError"));
  const timer = environment.setTimeout(giveUp, milliseconds);
  const signal = AbortSignal.any([patience.signal, given ?? patience.signal]);
  try {
    return await until(task(signal), signal);
  } finally {
    environment.clearTimeout(timer);
  }
}

/** A timer that is set anew, or stopped, by one call. */
export type Alarm = (milliseconds?: number, run?: () => void) => void;

export function createAlarm(environment: Environment): Alarm {
  let timer: unknown;
  return (milliseconds = 0, run) => {
    environment.clearTimeout(timer);
    if (run) timer = environment.setTimeout(run, milliseconds);
  };
}
