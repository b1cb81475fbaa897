// Talks to the server as this browser's session, whichever transport carries its tokens.
//
// A proper client library does more; this is the least that is right: one refresh at a time across tabs, one
// retry, and nobody logged out over a lost answer.

const { transport, giveUpMs } = document.documentElement.dataset;

// The server's clock is known to a second or so, and an expired cookie is gone without a word.
const EARLY_SECONDS = 2;

/** A refusal of the server: its problem document (RFC 9457). */
export class Problem extends Error {
  constructor(status, members) {
    super(members.detail ?? members.title ?? `The server answered ${status}.`);
    Object.assign(this, members, { status });
  }
}

/**
 * This browser's session. Tells of a `change` (a session came, was renewed or went away; `detail.reason` says
 * why it ended).
 */
export class Session extends EventTarget {
  /** The session object of the contract, or null: a visitor. */
  current = null;

  // Tokens that the transport puts into bodies live here and nowhere else: no storage outlives this page.
  #access = null;
  #refresh = null;
  #state = null;
  #renewal = null;
  #serverAhead = 0;
  #tabs = new BroadcastChannel("countersign");

  constructor() {
    super();
    this.#tabs.onmessage = ({ data }) => this.#heard(data);
  }

  /** The server's clock, in Unix seconds. */
  now() {
    return (Date.now() + this.#serverAhead) / 1000;
  }

  /** Finds out who this browser is. A server out of reach leaves things as they are. */
  async restore() {
    try {
      if (transport === "cookies") this.#adopt(await this.call("GET", "/session", { restoring: true }));
      else if (transport === "bearer" || this.#refresh) await this.renew();
      else this.#leave();
    } catch (problem) {
      if (problem.status !== 401) throw problem;
      await this.#forget(problem);
      this.#leave(problem.code === "session-ended" ? problem.reason : undefined);
    }
  }

  async login(user, password, remember) {
    await this.#enter("/login", { user, password, remember });
  }

  /** Ends one of the user's own sessions and takes its seat. */
  async admit(choice, end) {
    await this.#enter("/session/admit", { choice, end });
  }

  async logout() {
    const body = transport === "body" ? { refresh_token: this.#refresh } : undefined;
    await this.#answer(await this.#send("POST", "/session/logout", { body }));
    this.#leave("logout");
    this.#tabs.postMessage("changed");
  }

  /**
   * Calls the server, refreshing first where the access token has run out, and once more where the server says so.
   * Throws a Problem for a refusal, a TypeError where there is no connection.
   */
  async call(method, path, options = {}) {
    if (this.current && this.now() >= this.current.access_expires_at - EARLY_SECONDS) await this.renew(options);
    try {
      return await this.#answer(await this.#send(method, path, options));
    } catch (problem) {
      if (!this.#renewable(problem, options)) throw this.#final(problem);
    }
    await this.renew(options);
    try {
      return await this.#answer(await this.#send(method, path, options));
    } catch (problem) {
      throw this.#final(problem);
    }
  }

  /** Exchanges the refresh token: once for all calls of this tab, and one tab at a time. */
  renew(options = {}) {
    this.#renewal ??= this.#renewAlone(options).finally(() => { this.#renewal = null; });
    return this.#renewal;
  }

  async #renewAlone({ passive }) {
    const before = this.current?.access_expires_at;
    await alone(async () => {
      // Another tab may have done it while this one waited for its turn.
      if (transport === "cookies" && before && this.current?.access_expires_at > before) return;
      const body = transport === "body" ? { refresh_token: this.#refresh } : undefined;
      const signal = AbortSignal.timeout(Number(giveUpMs));
      try {
        this.#take(await this.#answer(await this.#send("POST", "/session/refresh", { body, passive, signal })));
      } catch (problem) {
        throw this.#final(problem);
      }
      this.#tabs.postMessage({ renewed: this.current });
    });
  }

  /** A login in one of its forms. A lost answer is asked for again under the same key, and costs no second seat. */
  async #enter(path, body) {
    const headers = { "Idempotency-Key": crypto.randomUUID() };
    const send = () => this.#send("POST", path, { body, headers });
    this.#take(await this.#answer(await send().catch(send)));
    this.#tabs.postMessage("changed");
  }

  #send(method, path, { body, passive, headers = {}, signal }) {
    const all = new Headers(headers);
    if (body !== undefined) all.set("Content-Type", "application/json");
    if (passive) all.set("Session-Passive", "?1");
    if (this.#access && path !== "/session/refresh") all.set("Authorization", `${this.#access.type} ${this.#access.token}`);
    if (this.#state) all.set("Session-State", this.#state);
    return fetch(path, { method, headers: all, signal, body: body && JSON.stringify(body), cache: "no-store" });
  }

  async #answer(response) {
    const date = Date.parse(response.headers.get("Date") ?? "");
    if (date) this.#serverAhead = date - Date.now();
    this.#state = response.headers.get("Session-State") ?? this.#state;
    const json = response.status === 204 ? null : await response.json().catch(() => ({}));
    if (!response.ok) throw new Problem(response.status, json);
    return json;
  }

  /** Takes a token response. */
  #take({ session, token_type: type, access_token: token, refresh_token: refresh, state }) {
    if (session.id !== this.current?.id) this.#state = null;
    if (token) this.#access = { type, token };
    this.#refresh = refresh ?? this.#refresh;
    this.#state = state ?? this.#state;
    this.#adopt(session);
  }

  #adopt(session) {
    this.current = session;
    this.dispatchEvent(new Event("change"));
  }

  /** A passive call may tell of activity elsewhere. */
  update(session) {
    if (session.id === this.current?.id) this.#adopt(session);
  }

  #leave(reason) {
    const was = this.current;
    this.current = this.#access = this.#refresh = this.#state = null;
    this.dispatchEvent(new CustomEvent("change", { detail: { reason: was ? reason : undefined } }));
  }

  #renewable(problem, { restoring }) {
    if (problem.code === "token-expired") return true;
    if (problem.code === "session-ended") return problem.reason === "replaced";
    // With its cookie gone, an expired session looks like none.
    return problem.code === "not-authenticated" && Boolean(restoring || this.current);
  }

  /** Of all refusals, only these say that the session is over. */
  #final(problem) {
    const over = ["session-ended", "refresh-reused", "token-invalid", "not-authenticated"];
    if (this.current && over.includes(problem.code)) {
      this.#forget(problem);
      this.#leave(problem.reason ?? problem.code);
    }
    return problem;
  }

  /** A refusal deletes no cookies: those of a dead session go by a logout, so that a visit can begin. */
  async #forget(problem) {
    if (transport === "body" || problem.code === "not-authenticated") return;
    await this.#send("POST", "/session/logout", {}).catch(() => {});
  }

  #heard(message) {
    if (message === "changed") this.restore().catch(() => {});
    else if (transport === "cookies" && this.current) this.update(message.renewed);
  }
}

/** Runs a task in one tab at a time, where the browser can tell. Where it cannot, the server copes with races. */
function alone(task) {
  return navigator.locks ? navigator.locks.request("countersign-refresh", task) : task();
}
