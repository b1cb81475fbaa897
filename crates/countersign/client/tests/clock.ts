// Time that goes by when a test says so.

import { EventEmitter, once } from "node:events";

/** A clock and timers of its own; `now` is in milliseconds since 1970. */
export class TestClock {
  now = 1_790_000_000_000;
  #timers = new Map<number, { at: number; run: () => void }>();
  #last = 0;
  #changed = new EventEmitter();

  setTimeout = (run: () => void, milliseconds: number): unknown => {
    this.#timers.set(++this.#last, { at: this.now + Math.max(0, milliseconds), run });
    this.#changed.emit("changed");
    return this.#last;
  };

  clearTimeout = (timer: unknown): void => {
    this.#timers.delete(timer as number);
    this.#changed.emit("changed");
  };

  /** How many timers are set. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Waits, without letting time go by, until the timers that are set go off after these many milliseconds each. */
  async until(...expected: number[]): Promise<void> {
    const left = () => [...this.#timers.values()].map(({ at }) => at - this.now).sort((a, b) => a - b);
    while (String(left()) !== String(expected)) await once(this.#changed, "changed");
  }

  /** Lets time go by: timers run in their order, and what they set off runs before the next one. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    for (await settled(); ; await settled()) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.now = Math.max(this.now, due[1].at);
      due[1].run();
    }
    this.now = end;
  }
}

/** Everything that waits for nothing but itself has happened. */
export async function settled(): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
}
