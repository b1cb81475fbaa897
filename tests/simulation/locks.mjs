// Web Locks of one browser (https://w3c.github.io/web-locks/): shared and exclusive, first come first served.

export class Locks {
  #scheduler;
  #held = [];
  #pending = [];

  constructor(scheduler) {
    this.#scheduler = scheduler;
  }

  /** What a tab sees as `navigator.locks`. */
  of(tab) {
    return {
      request: (name, options, callback) =>
        typeof options === 'function' ? this.#request(tab, name, {}, options) : this.#request(tab, name, options, callback),
      query: () => this.#query(tab),
    };
  }

  /** A tab is gone, and all it held or waited for. */
  forget(tab) {
    this.#held = this.#held.filter((lock) => lock.tab !== tab);
    this.#pending = this.#pending.filter((lock) => lock.tab !== tab);
    this.#grant();
  }

  /** Whether a tab holds or awaits a lock: browsers do not freeze such a tab. */
  concern(tab) {
    return [...this.#held, ...this.#pending].some((lock) => lock.tab === tab);
  }

  #request(tab, name, options, callback) {
    const { mode = 'exclusive', ifAvailable = false, signal } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const lock = { tab, name, mode, callback, resolve, reject };
      if (ifAvailable && !this.#isFree(lock, this.#pending)) {
        tab.after(0, () => settle(() => callback(null), resolve, reject));
        return;
      }
      this.#pending.push(lock);
      signal?.addEventListener('abort', () => {
        if (!this.#pending.includes(lock)) return;
        this.#pending = this.#pending.filter((other) => other !== lock);
        reject(signal.reason);
        this.#grant();
      });
      this.#grant();
    });
  }

  #query(tab) {
    const told = (locks) => locks.map(({ name, mode, tab: holder }) => ({ name, mode, clientId: String(holder.id) }));
    return new Promise((resolve) => {
      tab.after(1, () => resolve({ held: told(this.#held), pending: told(this.#pending) }));
    });
  }

  #isFree({ name, mode }, earlier) {
    if (earlier.some((other) => other.name === name)) return false;
    const holders = this.#held.filter((other) => other.name === name);
    return mode === 'exclusive' ? holders.length === 0 : holders.every((other) => other.mode === 'shared');
  }

  #grant() {
    const waiting = [];
    for (const lock of this.#pending) {
      if (!this.#isFree(lock, waiting)) {
        waiting.push(lock);
        continue;
      }
      this.#held.push(lock);
      // The tab learns of it a moment later.
      lock.tab.after(1, () => settle(() => lock.callback(lock), lock.resolve, lock.reject, () => this.#release(lock)));
    }
    this.#pending = waiting;
  }

  #release(lock) {
    this.#held = this.#held.filter((other) => other !== lock);
    this.#grant();
  }
}

async function settle(run, resolve, reject, release = () => {}) {
  try {
    const value = await run();
    release();
    resolve(value);
  } catch (error) {
    release();
    reject(error);
  }
}
