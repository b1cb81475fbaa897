// The server's clock, estimated from the Date headers of its answers: the local one may be hours off.

import type { Environment } from "./environment.js";

/** The server's clock. */
export interface Clock {
  /** Unix seconds, with a fraction; the local clock until an answer has come. */
  readonly now: () => number;
  /** Learns from an answer; `sent` is what `environment.now` said when its request left. */
  readonly _heard: (response: Response, sent: number) => void;
}

export function createClock(environment: Environment): Clock {
  // Nothing is known yet. The server is ahead of the local clock by at least and at most this many milliseconds.
  let least = -Infinity;
  let most = Infinity;
  const ahead = () => (least + most) / 2 || 0;
  return {
    now: () => (environment.now() + ahead()) / 1000,
    _heard(response, sent) {
      const date = Date.parse(response.headers.get("Date")!);
      if (!date) return;
      // Date leaves out the fraction, and was written between sending and now.
      const lower = date - environment.now();
      const upper = date + 1000 - sent;
      if (lower > most || upper < least) [least, most] = [lower, upper];
      else [least, most] = [Math.max(least, lower), Math.min(most, upper)];
    },
  };
}
