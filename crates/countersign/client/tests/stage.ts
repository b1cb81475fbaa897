// Browsers with tabs at one site, on one clock: what most tests play on.

import type { Environment, PageEvent } from "../src/environment.js";
import { createSession, type Ended, type Expiring, type Session, type SessionOptions, type State } from "../src/index.js";
import { settled, TestClock } from "./clock.js";
import { Locks } from "./locks.js";
import { type Jar, Site } from "./site.js";

type PageListener = (event: { persisted?: boolean }) => void;

export class Stage {
  readonly clock = new TestClock();
  readonly site = new Site(this.clock);
  readonly #browsers: BrowserOnStage[] = [];
  /** From 0 up to 1. */
  random: () => number = () => 0.5;

  browser(): BrowserOnStage {
    const browser = new BrowserOnStage(this);
    this.#browsers.push(browser);
    return browser;
  }

  /** One tab of a browser of its own, logged in as alice unless told otherwise. */
  async tab(options: SessionOptions = {}, subject: string | null = "alice"): Promise<TabOnStage> {
    const browser = this.browser();
    if (subject) this.site.loggedIn(browser.jar, subject);
    const tab = browser.open(options);
    await this.pass(0);
    return tab;
  }

  /** Lets seconds go by. */
  pass(seconds: number): Promise<void> {
    return this.clock.advance(seconds * 1000);
  }

  /** What a promise comes to, while time goes by. */
  async outcome<T>(promise: Promise<T>, seconds = 200): Promise<T> {
    let done = false;
    const end = () => {
      done = true;
    };
    promise.then(end, end);
    for (let left = seconds * 10; left > 0 && !done; left--) await this.clock.advance(100);
    if (!done) throw new Error(`Nothing came of it in ${seconds} seconds.`);
    return promise;
  }

  close(): void {
    for (const browser of this.#browsers) browser.close();
  }
}

/** An event stream that only says that it is there. */
function keepalives(clock: TestClock, signal: AbortSignal): Response {
  const body = new ReadableStream({
    start(controller) {
      let timer: unknown;
      const say = () => {
        controller.enqueue(new TextEncoder().encode("event: keepalive\ndata: {}\n\n"));
        timer = clock.setTimeout(say, 15_000);
      };
      say();
      signal.addEventListener("abort", () => {
        clock.clearTimeout(timer);
        controller.error(signal.reason);
      });
    },
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
}

export class BrowserOnStage {
  readonly jar: Jar = {};
  readonly locks = new Locks();
  readonly tabs: TabOnStage[] = [];
  readonly #name = `browser ${Math.random()}`;

  constructor(readonly stage: Stage) {}

  open(options: SessionOptions = {}): TabOnStage {
    const tab = new TabOnStage(this, options);
    this.tabs.push(tab);
    return tab;
  }

  channel(name: string): BroadcastChannel {
    return new BroadcastChannel(`${this.#name} ${name}`);
  }

  close(): void {
    for (const tab of this.tabs.splice(0)) tab.close();
  }
}

export class TabOnStage {
  readonly session: Session;
  /** The states that were shown, one after the other. */
  readonly shown: State[] = [];
  readonly expiring: Expiring[] = [];
  readonly ended: Ended[] = [];
  readonly channels: BroadcastChannel[] = [];
  visible = true;
  #listeners = new Map<PageEvent, Set<PageListener>>();

  constructor(
    readonly browser: BrowserOnStage,
    options: SessionOptions,
  ) {
    const { stage } = browser;
    const network = stage.site.network(browser.jar);
    let keys = 0;
    const environment: Partial<Environment> = {
      setTimeout: stage.clock.setTimeout,
      clearTimeout: stage.clock.clearTimeout,
      now: () => stage.clock.now,
      random: () => stage.random(),
      uniqueKey: () => `key${++keys}`,
      fetch: (input, init) => {
        const request = new Request(input, init);
        // Nothing comes by the event stream here: it has tests of its own.
        return request.url.endsWith("/events") ? Promise.resolve(keepalives(stage.clock, request.signal)) : network(request);
      },
      locks: browser.locks as unknown as LockManager,
      openChannel: (name) => {
        this.channels.push(browser.channel(name));
        return this.channels.at(-1)! as never;
      },
      isVisible: () => this.visible,
      on: (name, listener) => this.#on(name, listener),
      location: () => `${stage.site.origin}/page`,
      ...options.environment,
    };
    this.session = createSession({ ...options, environment });
    this.session.current.subscribe((state) => this.shown.push(state));
    this.session.on("expiring", (event) => this.expiring.push(event));
    this.session.on("ended", (event) => this.ended.push(event));
  }

  get state(): State {
    return this.session.current.get();
  }

  get status(): State["status"] {
    return this.state.status;
  }

  get statuses(): string[] {
    return this.shown.map(({ status }) => status);
  }

  /** Something happens to the page. */
  async happens(name: PageEvent, event: { persisted?: boolean } = {}): Promise<void> {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(event);
    await settled();
  }

  close(): void {
    this.session.close();
    for (const channel of this.channels) channel.close();
  }

  #on(name: PageEvent, listener: PageListener): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => listeners.delete(listener);
  }
}
