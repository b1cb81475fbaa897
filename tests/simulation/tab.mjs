// One tab: the environment that the client runs in, all of it on the world's clock.

export class Tab {
  id;
  browser;
  session = null;
  isOpen = true;
  isFrozen = false;
  isVisible = true;
  /** Requests on their way: each is told when the tab's network is cut. */
  underWay = new Set();
  #scheduler;
  #isCached = false;
  #late = [];
  #timers = new Set();
  #listeners = new Map();
  #channels = [];

  constructor(id, browser) {
    this.id = id;
    this.browser = browser;
    this.#scheduler = browser.world.scheduler;
  }

  /** Runs something in this tab after so many milliseconds: later if it is frozen or asleep then, never once closed. */
  after(delay, run) {
    return this.#scheduler.after(delay, () => this.now(run));
  }

  /** Starts something as soon as the tab can; waits for nothing. */
  now(run) {
    if (!this.isOpen) return;
    if (this.isFrozen || this.browser.isAsleep) this.#late.push(run);
    else run();
  }

  environment() {
    const { browser } = this;
    return {
      fetch: (input, init) => browser.world.network.fetch(this, input, init),
      now: () => browser.now(),
      setTimeout: (run, delay) => this.#setTimeout(run, Math.max(1, Number(delay) || 0)),
      clearTimeout: (timer) => this.#clearTimeout(timer),
      random: () => browser.chance.next(),
      uniqueKey: () => `key-${browser.chance.whole(0, 2 ** 31)}-${browser.chance.whole(0, 2 ** 31)}`,
      locks: browser.traits.locks ? browser.locks.of(this) : undefined,
      openChannel: browser.openChannelFor(this),
      isOnline: () => browser.isOnline,
      isVisible: () => this.isVisible,
      on: (name, listener) => this.#listen(name, listener),
      location: () => 'https://shop.test/',
      loadDpop: () => browser.loadDpop(this),
    };
  }

  tell(name, event = {}) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) this.now(() => listener(event));
  }

  keepChannel(channel) {
    this.#channels.push(channel);
  }

  /** Closed, or navigated away: nothing of it runs any more, and nothing that it asked for arrives. */
  close() {
    this.tell('pagehide', { persisted: false });
    this.isOpen = false;
    this.cutNetwork();
    for (const timer of this.#timers) this.#scheduler.cancel(timer.event);
    for (const channel of this.#channels) channel.close();
    this.browser.locks.forget(this);
  }

  /** Goes to the background and stands still there; `persisted`: in the back/forward cache. */
  freeze(persisted) {
    this.#isCached = persisted;
    this.isVisible = false;
    this.tell('visibilitychange');
    if (persisted) this.tell('pagehide', { persisted: true });
    this.isFrozen = true;
    this.cutNetwork();
  }

  thaw() {
    this.isFrozen = false;
    this.isVisible = true;
    this.catchUp();
    if (this.#isCached) this.tell('pageshow', { persisted: true });
    this.tell('visibilitychange');
  }

  /** Everything that could not run while the tab stood still. */
  catchUp() {
    const late = this.#late;
    this.#late = [];
    for (const run of late) this.after(0, run);
  }

  /** Timers of most systems stand still while the machine sleeps. */
  postponeTimers(by) {
    for (const timer of this.#timers) {
      const { run, time } = timer.event;
      if (!run) continue;
      this.#scheduler.cancel(timer.event);
      timer.event = this.#scheduler.after(time + by - this.#scheduler.now, run);
    }
  }

  cutNetwork() {
    for (const request of [...this.underWay]) request.cut();
  }

  #setTimeout(run, delay) {
    const timer = { event: null };
    // In the background, timers are a second coarse.
    const coarse = this.isVisible ? 0 : this.browser.chance.whole(0, 1000);
    timer.event = this.#scheduler.after(delay + coarse, () =>
      this.now(() => {
        if (this.#timers.delete(timer)) run();
      }),
    );
    this.#timers.add(timer);
    return timer;
  }

  #clearTimeout(timer) {
    if (!timer) return;
    this.#timers.delete(timer);
    this.#scheduler.cancel(timer.event);
  }

  #listen(name, listener) {
    const listeners = this.#listeners.get(name) ?? [];
    this.#listeners.set(name, [...listeners, listener]);
    return () => this.#listeners.set(name, this.#listeners.get(name).filter((other) => other !== listener));
  }
}
