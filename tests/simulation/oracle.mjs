// What must hold in every world, by the server's own word on which sessions live.

const OVER = new Set(['signed-out', 'ended']);
const WELL = new Set(['active', 'refreshing', 'limit-reached']);
const DEAD = new Set(['session-ended', 'token-invalid', 'refresh-reused', 'not-authenticated']);

export class Oracle {
  violations = [];
  #world;
  #sessions = new Map();

  constructor(world) {
    this.#world = world;
  }

  /** Notes a broken promise; the world goes on, and its story is told. */
  violated(tab, text) {
    this.#world.trace(tab, `VIOLATED: ${text}`);
    this.violations.push(text);
  }

  isLive(id) {
    return this.#sessions.get(id)?.isLive === true;
  }

  /** Follows what a tab shows. */
  watch(tab) {
    tab.knew = new Set();
    tab.session.current.subscribe((state) => {
      const { status } = state;
      this.#world.trace(tab, `state ${status}${state.reason ? ` (${state.reason})` : ''}`);
      const { session } = tab.browser.truth;
      // A tab may tell that the session before this one is over, before it hears of the login since.
      const isOlder = tab.last !== undefined && tab.last !== session;
      if (OVER.has(status) && this.isLive(session) && !isOlder) this.violated(tab, `${status} while its session lives`);
      if (state.session) tab.knew.add((tab.last = state.session.id));
    });
  }

  /** The server has answered a request; the answer may never arrive. */
  served(request, answer, events) {
    const { tab } = request;
    const body = json(answer);
    const { now } = this.#world.scheduler;
    for (const event of events) this.#happened(request, event);
    const code = body?.code ? ` ${body.code}${body.reason ? ` (${body.reason})` : ''}` : '';
    this.#world.trace(tab, `  served ${request.method} ${request.target}: ${answer.status}${code}`);
    const session = this.#sessions.get(typeof body?.session === 'string' ? body.session : body?.session?.id);
    if (session && answer.status === 200 && request.headers['session-passive'] !== '?1') session.activity = now;
    if (request.path === '/session/refresh' && answer.status === 200) this.#countRefresh(tab);
    if (request.path === '/api/cart') this.#cart(request, answer, body, session);
  }

  /** An answer has reached its browser. */
  delivered({ tab, method, path, target }, answer) {
    const body = json(answer);
    if (answer.status !== 200 || !body?.session) return;
    const { truth } = tab.browser;
    if (path === '/login' || path.endsWith('/admit')) truth.session = body.session.id;
    const session = this.#sessions.get(body.session);
    const isNews = method === 'DELETE' || target.endsWith('exclusive=1');
    if (path !== '/api/cart' || !session || !isNews) return;
    if (same(body.items, session.items)) Object.assign(session, { isUndelivered: false, deliveredAt: this.#world.scheduler.now });
  }

  /** A person's logout was acknowledged. */
  loggedOut(tab, id) {
    if (this.isLive(id)) this.violated(tab, 'a logout was acknowledged, and its session lives');
    if (tab.browser.truth.session === id) tab.browser.truth.session = null;
  }

  /** A browser has lost its cookies: whatever becomes of its session, it may not know. */
  forgot(browser) {
    const session = this.#sessions.get(browser.truth.session);
    if (session) session.isUndelivered = true;
    browser.truth.session = null;
  }

  /** An answer that the application saw. `before` was the tab's session as it asked. */
  async answered(tab, response, before) {
    if (response.status !== 401) return;
    const problem = await response.clone().json().catch(() => ({}));
    const { session } = tab.browser.truth;
    if (DEAD.has(problem.code) && session === before && this.isLive(session)) {
      this.violated(tab, `the application was told ${problem.code} while its session lives`);
    }
  }

  /** An exclusive update was acknowledged to the application. */
  acknowledged(tab, number, body) {
    const session = this.#sessions.get(body.session);
    if (!session?.done.has(number)) this.violated(tab, `update ${number} was acknowledged and has not happened`);
  }

  /** An exclusive update was refused for good: then it must not have happened. */
  refused(tab, number, before) {
    if (this.#sessions.get(before)?.done.has(number)) this.violated(tab, `update ${number} was refused and has happened`);
  }

  /** Tabs of a browser ask at once, in fine weather: one refresh is enough for all of them. */
  together(browser) {
    // After its clock was set, each tab finds out for itself.
    const isEasy = !browser.traits.steps && browser.traits.locks && browser.traits.channel === 'open' && browser.tabs.every((tab) => tab.session.current.get().status === 'active');
    browser.atOnce = isEasy && this.#world.weather.of(browser) === 'fine' ? { since: this.#world.scheduler.now, refreshed: 0 } : null;
  }

  #countRefresh(tab) {
    const { atOnce } = tab.browser;
    if (atOnce && this.#world.scheduler.now - atOnce.since < 5000 && ++atOnce.refreshed > 1) {
      this.violated(tab, 'two refreshes for tabs that asked at once');
    }
  }

  /** Long after the weather has cleared, and before anybody did anything. */
  judgeRecovered(tab) {
    const { status } = tab.session.current.get();
    const { session } = tab.browser.truth;
    if (this.isLive(session) && !WELL.has(status) && !this.#isUninformed(tab, status)) {
      this.violated(tab, `${status} five minutes after the weather has cleared`);
    }
  }

  /** In fine weather, whoever wanted to be logged in is, unless all seats are taken. */
  judgeLogin(browser) {
    if (browser.wantsIn && !this.isLive(browser.truth.session) && !this.#world.wishes.user_limit) this.violated(browser.tabs[0], 'a login in vain');
  }

  /** After each tab has been used once more. */
  judgeFinally(tab) {
    const state = tab.session.current.get();
    const { session } = tab.browser.truth;
    if (this.#isUninformed(tab, state.status)) return;
    if (this.isLive(session)) {
      if (!WELL.has(state.status)) this.violated(tab, `${state.status} at the end`);
      else if (state.session?.id !== session) this.violated(tab, 'another session at the end');
    } else if (state.session && !OVER.has(state.status) && !this.isLive(state.session.id)) {
      this.violated(tab, `${state.status} at the end, of a session that has ended`);
    }
  }

  /** Without a channel, a tab cannot hear that somebody has logged in in another one. */
  #isUninformed(tab, status) {
    return (OVER.has(status) || status === 'limit-reached') && tab.browser.traits.channel !== 'open' && !tab.knew.has(tab.browser.truth.session);
  }

  #happened(request, event) {
    const { tab } = request;
    const { now } = this.#world.scheduler;
    if (event.what === 'started') {
      // A login that is repeated, for its answer was lost, is told again and begins nothing.
      if (this.#sessions.has(event.session)) return;
      const begun = { isLive: true, startedAt: now, activity: now, items: [], done: new Set(), calls: new Set() };
      this.#sessions.set(event.session, { ...begun, subject: event.subject, browser: tab.browser, deliveredAt: now });
    } else if (event.what === 'ended') {
      this.#judgeEnd(tab, this.#sessions.get(event.session), event);
    } else if (event.what === 'refreshed' && request.headers['session-passive'] !== '?1') {
      this.#sessions.get(event.session).activity = now;
    } else if (event.what === 'refresh-reused' || event.what === 'mint-failed') {
      this.violated(tab, `the server says ${event.what}`);
    }
  }

  /** A session has ended: was there a reason that its person knows of? */
  #judgeEnd(tab, session, { session: id, reason }) {
    const { wishes, scheduler } = this.#world;
    session.isLive = false;
    this.#world.trace(tab, `  a session of ${session.browser.id} has ended: ${reason}`);
    const because = {
      logout: () => session.browser.asked.has('logout'),
      replaced: () => session.browser.asked.has('login'),
      'ended-by-user': () => this.#world.oracle.endedByUser.has(session.subject),
      limit: () => wishes.on_full?.startsWith('end-') || this.endedByUser.has(session.subject),
      // The last marks of activity may not have been flushed yet. One whose login was never answered is nobody's.
      idle: () => session.browser.truth.session !== id || scheduler.now - session.activity > (wishes.idle - 30) * 1000,
      expired: () => scheduler.now - session.startedAt > (wishes.lifetime - 1) * 1000,
    }[reason];
    if (!because?.()) this.violated(tab, `a session of ${session.browser.id} was ended: ${reason}`);
    for (const stream of [...this.#world.streams]) stream.ended(id, reason);
  }

  /** People who ended sessions of theirs on purpose. */
  endedByUser = new Set();

  /** Exclusive updates: each once, in order, and never lost. */
  #cart(request, answer, body, session) {
    const { tab, method, target } = request;
    const isExclusive = target.endsWith('exclusive=1');
    if (answer.status === 200 && session) {
      const number = isExclusive ? JSON.parse(request.body).item : null;
      if (method === 'DELETE') session.items = [];
      else if (isExclusive && !session.done.has(number)) session.items = [...session.items, number];
      if (isExclusive) session.done.add(number);
      if (isExclusive || method === 'DELETE') session.isUndelivered = true;
      if (!same(body.items, session.items)) {
        this.violated(tab, `the server has ${JSON.stringify(body.items)}, not ${JSON.stringify(session.items)}`);
        session.items = body.items;
      }
      return;
    }
    const own = this.#sessions.get(tab.browser.truth.session);
    if (!own) return;
    // It may have happened all the same.
    if (answer.status >= 500 && (isExclusive || method === 'DELETE')) own.isUndelivered = true;
    if (body?.code === 'state-lost' && !own.isUndelivered && request.departed > own.deliveredAt) {
      this.violated(tab, 'state-lost, although every update had arrived');
    }
  }
}

function json({ headers, body }) {
  const type = headers.find(([name]) => name === 'content-type')?.[1] ?? '';
  if (!type.includes('json')) return null;
  return JSON.parse(body);
}

function same(one, other) {
  return one.length === other.length && one.every((item, index) => item === other[index]);
}
