// Web Locks in memory, for the tabs of one test's browser: requests in order, shared and exclusive, as the standard has it.

type Callback = (lock: { name: string; mode: LockMode } | null) => unknown;

interface Waiting {
  name: string;
  mode: LockMode;
  grant: () => void;
}

/** What all tabs of one browser share. */
export class Locks {
  #held = new Set<{ name: string; mode: LockMode }>();
  #waiting: Waiting[] = [];

  request(name: string, ...rest: [Callback] | [LockOptions, Callback]): Promise<unknown> {
    const callback = rest.at(-1) as Callback;
    const { mode = "exclusive", signal, ifAvailable } = rest.length > 1 ? (rest[0] as LockOptions) : {};
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const waiting = { name, mode, grant: () => this.#hold(name, mode, callback).then(resolve, reject) };
      if (ifAvailable && !this.#mayHold(waiting)) return resolve(callback(null));
      signal?.addEventListener("abort", () => {
        const at = this.#waiting.indexOf(waiting);
        if (at < 0) return;
        this.#waiting.splice(at, 1);
        reject(signal.reason);
        this.#grant();
      });
      this.#waiting.push(waiting);
      this.#grant();
    });
  }

  async query(): Promise<LockManagerSnapshot> {
    const info = ({ name, mode }: { name: string; mode: LockMode }) => ({ name, mode, clientId: "tab" });
    return { held: [...this.#held].map(info), pending: this.#waiting.map(info) };
  }

  async #hold(name: string, mode: LockMode, callback: Callback): Promise<unknown> {
    const lock = { name, mode };
    this.#held.add(lock);
    try {
      // Even an uncontended lock is granted later than it is asked for.
      await Promise.resolve();
      return await callback(lock);
    } finally {
      this.#held.delete(lock);
      this.#grant();
    }
  }

  #grant(): void {
    for (const waiting of [...this.#waiting]) {
      if (!this.#mayHold(waiting)) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.grant();
    }
  }

  /** Nobody who holds or came earlier is in the way. */
  #mayHold(wanted: Waiting): boolean {
    const at = this.#waiting.indexOf(wanted);
    const earlier = at < 0 ? this.#waiting : this.#waiting.slice(0, at);
    return [...this.#held, ...earlier].every(
      ({ name, mode }) => name !== wanted.name || (mode === "shared" && wanted.mode === "shared"),
    );
  }
}
