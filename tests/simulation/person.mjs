// Someone in front of a browser: works, idles, opens and closes tabs, lets the machine sleep, logs in and out.

const SECOND = 1000;
const MINUTE = 60 * SECOND;

const DOES = {
  read: 6, note: 3, exclusive: 4, together: 3, poll: 3, extend: 1, list: 1, open: 1.5, close: 0.7, reload: 1, freeze: 1,
  sleep: 1, offline: 1, ownWeather: 1, step: 0.5, logout: 0.4, endOthers: 0.15, again: 0.2, forget: 0.05,
};

export class Person {
  name;
  #world;
  #browser;
  #chance;
  #isResting = false;

  constructor(world, browser, name, chance) {
    this.name = name;
    this.#world = world;
    this.#browser = browser;
    this.#chance = chance;
    browser.asked = new Set();
  }

  begin() {
    const tabs = this.#chance.whole(1, 3);
    for (let tab = 0; tab < tabs; tab++) this.#browser.open();
    this.#world.scheduler.after(this.#chance.between(1, 60) * SECOND, () => this.#next());
  }

  /** Wakes everything up, and does nothing any more. */
  rest() {
    this.#isResting = true;
    const browser = this.#browser;
    browser.weather = null;
    if (browser.isAsleep) browser.wake();
    if (!browser.isOnline) browser.goOnline();
    for (const tab of browser.tabs) if (tab.isFrozen) tab.thaw();
  }

  /** Uses each tab once, after a login where nobody is logged in. */
  lookEverywhere() {
    const [first] = this.#browser.tabs;
    const { oracle } = this.#world;
    this.#browser.wantsIn = !oracle.isLive(this.#browser.truth.session);
    if (this.#browser.wantsIn) first.after(0, () => this.#do(first, 'login'));
    for (const tab of this.#browser.tabs) tab.after(60 * SECOND, () => this.#do(tab, 'read'));
  }

  #next() {
    if (this.#isResting) return;
    const [tab] = this.#shuffled();
    if (tab) this.#act(tab);
    const pause = this.#chance.weighted({ brief: 6, work: 6, lunch: 0.5 });
    const minutes = { brief: [0.01, 1], work: [1, 7], lunch: [20, 90] }[pause];
    this.#world.scheduler.after(this.#chance.between(...minutes) * MINUTE, () => this.#next());
  }

  #shuffled() {
    const tabs = this.#browser.awake;
    return tabs.length > 1 && this.#chance.chance(0.5) ? tabs.toReversed() : tabs;
  }

  #act(tab) {
    this.#browser.atOnce = null;
    const { status } = tab.session.current.get();
    const isOut = status === 'signed-out' || status === 'ended' || (status === 'limit-reached' && !tab.session.current.get().session);
    this.#do(tab, isOut && this.#chance.chance(0.8) ? 'login' : this.#chance.weighted(DOES));
  }

  async #do(tab, what) {
    this.#world.trace(tab, `${this.name}: ${what}`);
    try {
      await this[`_${what}`](tab);
    } catch (error) {
      // Refused, or out of reach: it is shown to the person, who tries again some time.
      const isExpected = error.name === 'Problem' || error instanceof TypeError || /Abort|Timeout/.test(error.name);
      this.#world.trace(tab, `${what} failed: ${error.name} ${error.code ?? error.message}`);
      if (!isExpected || isBug(error)) this.#world.oracle.violated(tab, `${what} failed: ${error.stack}`);
    }
  }

  async _read(tab) {
    await this.#fetch(tab, '/api/cart');
  }

  async _poll(tab) {
    await this.#fetch(tab, '/api/poll', { passive: true });
  }

  async _note(tab) {
    await this.#fetch(tab, '/api/cart', post({ item: ++this.#world.updates }));
  }

  async _exclusive(tab) {
    const number = ++this.#world.updates;
    const before = tab.session.current.get().session?.id;
    const response = await this.#fetch(tab, '/api/cart?exclusive=1', { ...post({ item: number }), exclusive: true });
    if (response.ok) await this.#acknowledged(tab, number, response);
    else if (response.status === 409) this.#world.oracle.refused(tab, number, before);
  }

  async #acknowledged(tab, number, response) {
    const body = await response.json().catch(() => null);
    // A portal's page is no acknowledgement.
    if (body?.items) this.#world.oracle.acknowledged(tab, number, body);
  }

  async _together() {
    this.#world.oracle.together(this.#browser);
    for (const tab of this.#browser.awake) this.#do(tab, this.#chance.of(['read', 'note', 'exclusive']));
  }

  async _extend(tab) {
    await tab.session.extend();
  }

  async _list(tab) {
    await tab.session.list();
  }

  async _endOthers(tab) {
    this.#world.oracle.endedByUser.add(this.name);
    await tab.session.endOthers();
  }

  async _login(tab) {
    this.#browser.asked.add('login');
    try {
      await tab.session.login('/login', { user: this.name });
    } catch (error) {
      if (error.code !== 'sessions-limit' || !error.choice) throw error;
      this.#world.oracle.endedByUser.add(this.name);
      await tab.session.admit(error.choice, error.sessions[0].id);
    }
  }

  async _again(tab) {
    await this._login(tab);
  }

  async _logout(tab) {
    const { session } = this.#browser.truth;
    this.#browser.asked.add('logout');
    await tab.session.logout();
    this.#world.oracle.loggedOut(tab, session);
  }

  async _open() {
    if (this.#browser.tabs.length < 4) this.#browser.open();
  }

  async _close(tab) {
    if (this.#browser.tabs.length > 1) this.#browser.close(tab);
  }

  async _reload(tab) {
    this.#browser.close(tab);
    this.#browser.open();
  }

  /** The tab goes to the background, and stands still there (browsers spare tabs that hold a lock). */
  async _freeze(tab) {
    if (this.#browser.locks.concern(tab)) return;
    tab.freeze(this.#chance.chance(0.5));
    this.#later(0.1, 40, () => tab.isOpen && tab.isFrozen && tab.thaw());
  }

  async _sleep() {
    this.#browser.sleep();
    this.#later(0.1, 90, () => this.#browser.isAsleep && this.#browser.wake());
  }

  async _offline() {
    if (!this.#browser.isOnline) return;
    this.#browser.goOffline();
    this.#later(0.1, 20, () => this.#browser.isOnline || this.#browser.goOnline());
  }

  async _ownWeather() {
    this.#browser.weather = this.#chance.of(['lossy', 'slow', 'portal', 'refused']);
    this.#later(0.5, 10, () => (this.#browser.weather = null));
  }

  /** Someone sets the clock of the device. */
  async _step() {
    const { traits } = this.#browser;
    if (traits.steps) traits.skew = Math.round(this.#chance.between(-3, 3) * 60 * MINUTE);
  }

  async _forget() {
    this.#world.oracle.forgot(this.#browser);
    this.#browser.jar.clear();
  }

  #later(low, high, run) {
    this.#world.scheduler.after(this.#chance.between(low, high) * MINUTE, run);
  }

  async #fetch(tab, address, init) {
    const before = tab.session.current.get().session?.id;
    const response = await tab.session.fetch(address, init);
    this.#world.trace(tab, `${init?.method ?? 'GET'} ${address} answered ${response.status}`);
    await this.#world.oracle.answered(tab, response, before);
    if (response.status === 409) await this.#mend(tab, await response.clone().json());
    return response;
  }

  /** The application starts its data again where it is told that they are lost. */
  async #mend(tab, problem) {
    if (problem.code !== 'state-lost') return;
    await tab.session.fetch('/api/cart', { method: 'DELETE', exclusive: true });
  }
}

function post(body) {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** A TypeError of the client's own making, and none of the network's. */
function isBug(error) {
  return error instanceof TypeError && !/fetch|network|load|not understood/i.test(error.message);
}
