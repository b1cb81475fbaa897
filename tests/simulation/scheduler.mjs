// Virtual time: one event after the other, each run to its last consequence before the next.

export class Scheduler {
  /** Milliseconds since 1970 by the true clock of the world. */
  now;
  #heap = [];
  #count = 0;
  #busy = 0;

  constructor(now) {
    this.now = now;
  }

  /** Runs something after so many milliseconds; returns a handle for cancel. */
  after(delay, run) {
    const event = { time: this.now + Math.max(0, delay), order: this.#count++, run };
    this.#push(event);
    return event;
  }

  cancel(event) {
    if (event) event.run = null;
  }

  /** Waits for work that takes real time (cryptography in threads of its own): the world stands still until then. */
  async during(work) {
    this.#busy++;
    try {
      return await work;
    } finally {
      this.#busy--;
    }
  }

  /** Lives until the given instant. */
  async until(end) {
    while (this.#heap.length > 0 && this.#heap[0].time <= end) {
      const { time, run } = this.#pop();
      if (!run) continue;
      this.now = time;
      await run();
      await this.#settle();
    }
    this.now = end;
  }

  /** Until nothing is left that follows from what has happened: promises first, then real work. */
  async #settle() {
    do await immediate();
    while (this.#busy > 0);
  }

  #push(event) {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(event, heap[above])) break;
      heap[at] = heap[above];
      at = above;
    }
    heap[at] = event;
  }

  #pop() {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1], heap[below])) below++;
      if (!isBefore(heap[below], last)) break;
      heap[at] = heap[below];
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(one, other) {
  return one.time < other.time || (one.time === other.time && one.order < other.order);
}

function immediate() {
  return new Promise((resolve) => setImmediate(resolve));
}
