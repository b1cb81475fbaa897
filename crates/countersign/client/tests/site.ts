// The server's side of the contract in memory, as far as a client can see it, on a network that a test can spoil.

import type { Environment } from "../src/environment.js";
import type { SessionObject } from "../src/state.js";
import type { TestClock } from "./clock.js";

export interface Asked {
  method: string;
  path: string;
  headers: Headers;
  body: string;
  /** The access token that came with it: a cookie, or after its scheme. */
  access: string | undefined;
  refresh: string | undefined;
}

type Answer = Response | undefined;
/** A browser's cookies, as far as they count. */
export type Jar = { access?: string; refresh?: string };

export class Site {
  readonly origin = "https://shop.example";
  readonly asked: Asked[] = [];
  transport: "cookies" | "bearer" = "cookies";
  /** How far the server's clock is ahead, in milliseconds. */
  skew = 0;
  accessLife = 300;
  idleLife = 3600;
  life = 86_400;
  #sessions = new Map<string, SessionObject & { ended?: string | undefined }>();
  #last = 0;

  constructor(readonly clock: TestClock) {}

  /** How long a request takes to arrive, and its answer to come back; in milliseconds. */
  delay: () => number = () => 0;
  /** Answers in the server's place, or throws, before a request arrives. */
  before: (asked: Asked) => Answer | Promise<Answer> = () => undefined;
  /** The same when the server has answered. */
  after: (asked: Asked, answer: Response) => Answer | Promise<Answer> = () => undefined;
  /** The application. */
  app: (asked: Asked, session: SessionObject | undefined) => Answer = () => undefined;

  now(): number {
    return (this.clock.now + this.skew) / 1000;
  }

  /** The requests for a path. */
  to(path: string, method?: string): Asked[] {
    return this.asked.filter((asked) => asked.path === path && (!method || asked.method === method));
  }

  begin(subject: string): SessionObject {
    const now = Math.floor(this.now());
    const session: SessionObject = {
      id: `session${++this.#last}`,
      subject,
      tenant: null,
      started_at: now,
      expires_at: now + this.life,
      idle_expires_at: now + this.idleLife,
      access_expires_at: null,
      auth_time: now,
      amr: ["pwd"],
      current: true,
      last_activity: now,
      dangling: false,
      device: null,
    };
    this.#sessions.set(session.id, session);
    return session;
  }

  end(id: string, reason?: string): void {
    const session = this.#sessions.get(id)!;
    session.ended = reason ?? "";
  }

  isLive(id: string): boolean {
    return this.#sessions.get(id)?.ended === undefined;
  }

  /** A browser that is logged in already. */
  loggedIn(jar: Jar, subject = "alice"): SessionObject {
    const session = this.begin(subject);
    const access = this.#access(session);
    jar.refresh = session.id;
    if (this.transport === "cookies") jar.access = access;
    return session;
  }

  /** The network of a browser. */
  network(jar: Jar): Environment["fetch"] {
    return async (input, init) => {
      const request = new Request(input, init);
      const asked = await this.#read(request, jar);
      this.asked.push(asked);
      const work = this.#carry(asked, jar);
      return new Promise((resolve, reject) => {
        request.signal.addEventListener("abort", () => reject(request.signal.reason));
        if (request.signal.aborted) reject(request.signal.reason);
        work.then(resolve, reject);
      });
    };
  }

  async #read(request: Request, jar: Jar): Promise<Asked> {
    const bearer = request.headers.get("Authorization")?.split(" ")[1];
    // A browser drops a cookie whose time is over.
    if (jar.access && Number(jar.access.split(".")[1]) <= this.now()) delete jar.access;
    return {
      method: request.method,
      path: new URL(request.url).pathname,
      headers: request.headers,
      body: await request.text(),
      access: bearer ?? jar.access,
      refresh: jar.refresh,
    };
  }

  async #carry(asked: Asked, jar: Jar): Promise<Response> {
    await this.#pass();
    const early = await this.before(asked);
    if (early) return early;
    const cookies: Jar = {};
    const answer = this.#answer(asked, cookies);
    answer.headers.set("Date", new Date(Math.floor(this.now()) * 1000).toUTCString());
    await this.#pass();
    const late = await this.after(asked, answer);
    if (late) return late;
    for (const [name, value] of Object.entries(cookies)) {
      if (value) jar[name as keyof Jar] = value;
      else delete jar[name as keyof Jar];
    }
    return answer;
  }

  #pass(): Promise<void> {
    return new Promise((resolve) => this.clock.setTimeout(resolve, this.delay()));
  }

  #answer(asked: Asked, cookies: Jar): Response {
    const what = `${asked.method} ${asked.path}`;
    if (what === "POST /login") return this.#granted(this.begin(JSON.parse(asked.body).user), cookies);
    if (what === "POST /session/logout") return this.#loggedOut(asked, cookies);
    if (what === "POST /session/refresh") return this.#refreshed(asked, cookies);
    const [session, refusal] = this.#judge(asked);
    const answer = this.app(asked, session);
    if (answer) return answer;
    if (refusal) return refusal;
    if (what !== "GET /session") return json(200, { subject: session!.subject });
    return json(200, { ...session, access_expires_at: Number(asked.access!.split(".")[1]) });
  }

  #judge({ access }: Asked): [SessionObject | undefined, Response | undefined] {
    if (!access) return [undefined, problem(401, "not-authenticated")];
    const [id, expires] = access.split(".");
    if (Number(expires) <= this.now()) return [undefined, problem(401, "token-expired")];
    const session = this.#sessions.get(id!)!;
    const ended = session.ended;
    return ended === undefined ? [session, undefined] : [undefined, over(ended)];
  }

  #refreshed({ refresh, headers }: Asked, cookies: Jar): Response {
    if (!refresh) return problem(401, "not-authenticated");
    const session = this.#sessions.get(refresh)!;
    if (session.ended !== undefined) return over(session.ended);
    if (this.now() >= session.idle_expires_at) return over((session.ended = "idle"));
    if (!headers.has("Session-Passive")) {
      session.last_activity = Math.floor(this.now());
      session.idle_expires_at = Math.min(session.last_activity + this.idleLife, session.expires_at);
    }
    return this.#granted(session, cookies);
  }

  #loggedOut({ access, refresh }: Asked, cookies: Jar): Response {
    for (const id of [access?.split(".")[0], refresh]) if (id && this.isLive(id)) this.end(id, "logout");
    Object.assign(cookies, { access: "", refresh: "" });
    return new Response(null, { status: 204 });
  }

  #granted(session: SessionObject, cookies: Jar): Response {
    const access = this.#access(session);
    cookies.refresh = session.id;
    if (this.transport === "cookies") cookies.access = access;
    const token = this.transport === "bearer" ? { access_token: access } : {};
    const shown = { ...session, access_expires_at: Number(access.split(".")[1]), ended: undefined };
    return json(200, { session: shown, token_type: "Bearer", expires_in: this.accessLife, ...token });
  }

  #access({ id }: SessionObject): string {
    return `${id}.${Math.floor(this.now()) + this.accessLife}.${++this.#last}`;
  }
}

export function json(status: number, body: object, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json", ...headers } });
}

export function problem(status: number, code: string, members: object = {}, headers: Record<string, string> = {}): Response {
  const body = { type: "about:blank", status, code, ...members };
  return json(status, body, { "Content-Type": "application/problem+json", ...headers });
}

/** What a proxy says when it has nothing to say. */
export function html(status: number): Response {
  return new Response("<!doctype html><title>Oh no</title>", { status, headers: { "Content-Type": "text/html" } });
}

function over(reason: string): Response {
  return problem(401, "session-ended", reason ? { reason } : {});
}
