// Everything of the outside world that the client touches, so that tests can run it on a clock and a network of their own.

/** The outside world. A member that is optional may be missing in a browser; everything works without it. */
export interface Environment {
  fetch: (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;
  /** The local clock, in milliseconds since 1970. It may be wrong, and may jump. */
  now: () => number;
  setTimeout: (run: () => void, milliseconds: number) => unknown;
  clearTimeout: (timer: unknown) => void;
  /** A number from 0 up to 1, to spread repetitions. */
  random: () => number;
  /** A new key that nobody can guess, of visible ASCII. */
  uniqueKey: () => string;
  locks?: Pick<LockManager, "request" | "query"> | undefined;
  /** Opens a channel to the other tabs of this origin, or throws where that is forbidden. */
  openChannel?: ((name: string) => Channel) | undefined;
  isVisible: () => boolean;
  /** Listens to the page: `persisted` is true where the page goes into, or comes from, the back/forward cache. */
  on: (name: PageEvent, listener: (event: { persisted?: boolean }) => void) => () => void;
  /** The address of the page, that relative addresses are resolved against. */
  location: () => string;
  /** Loads the code for DPoP (`dpop.js`). */
  loadDpop: () => Promise<DpopModule>;
}

/** What a page goes through. */
export type PageEvent = "online" | "offline" | "visibilitychange" | "pagehide" | "pageshow";

/** The part of a `BroadcastChannel` that is needed. */
export interface Channel {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent) => unknown) | null;
  close(): void;
}

/** What `dpop.js` exports. */
export interface DpopModule {
  /** The prover of this origin and base: the same key for all its tabs, made where there is none yet. */
  createProver(base: string): Promise<Prover>;
}

/** Proves possession of this browser's key (RFC 9449). */
export interface Prover {
  proof(of: ProofOf): Promise<string>;
}

/** What a proof is made for. */
export interface ProofOf {
  method: string;
  /** The absolute address of the request, with or without query and fragment. */
  url: string;
  /** Unix seconds, by the server's clock. */
  now: number;
  nonce?: string | undefined;
  /** The access token that goes with the request, where one does. */
  token?: string | undefined;
}

/** The browser's own environment. */
export function browserEnvironment(): Environment {
  return {
    fetch: (input, init) => fetch(input, init),
    now: Date.now,
    setTimeout: (run, milliseconds) => setTimeout(run, milliseconds),
    clearTimeout: (timer) => clearTimeout(timer as number),
    random: Math.random,
    uniqueKey: () => crypto.randomUUID(),
    locks: globalThis.navigator?.locks,
    openChannel: (name) => new BroadcastChannel(name),
    isVisible: () => !globalThis.document?.hidden,
    on(name, listener) {
      // What happens to the document bubbles.
      addEventListener(name, listener as EventListener);
      return () => removeEventListener(name, listener as EventListener);
    },
    location: () => location.href,
    loadDpop: () => import("./dpop.js"),
  };
}
