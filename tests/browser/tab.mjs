// Tabs with nothing in them but the client: what a page's script asks of it, and what it then is told.

import assert from 'node:assert/strict';
import { PATIENCE_MS } from './patience.mjs';
import { audit, witness } from './witness.mjs';


/** Browser profiles are told apart by a header, so that their requests can be counted. */
let arrivals = 0;

export class Tab {
  #site;
  #browser;
  page;
  complaints;

  /** The first tab of a browser profile of its own. */
  static async arrive(browser, site, { profile = {}, prepare, options } = {}) {
    const number = arrivals += 1;
    const context = await browser.newContext({ extraHTTPHeaders: { 'x-browser': `${number}` }, ...profile });
    await prepare?.(context);
    const complaints = await witness(context);
    return Tab.#open(context, site, complaints, options, number);
  }

  /** Another tab of the same browser profile. */
  another(options) {
    return Tab.#open(this.page.context(), this.#site, this.complaints, options, this.#browser);
  }

  static async #open(context, site, complaints, options, number) {
    const tab = new Tab();
    tab.#site = site;
    tab.#browser = number;
    tab.complaints = complaints;
    tab.page = await context.newPage();
    tab.page.setDefaultTimeout(PATIENCE_MS);
    await tab.load(options);
    return tab;
  }

  /** Loads the bare page and a client in it. (Again: the old page and all its memory is gone.) */
  async load(options) {
    await this.page.goto(`${this.#site.origin}/bare`);
    return this.page.evaluate(start, options);
  }

  logIn(user = 'alice', { remember = true } = {}) {
    return this.page.evaluate((body) => session.login('/login', body), { user, password: 'correct horse', remember });
  }

  state() {
    return this.page.evaluate(() => session.current.get());
  }

  /** Waits until the client is in this state, and returns it. */
  async becomes(status) {
    await this.page.waitForFunction((wanted) => session.current.get().status === wanted, status)
      .catch(async () => assert.equal((await this.state()).status, status));
    return this.state();
  }

  /** Waits until the client has told of such an event, and returns what it said and when it did. */
  async isTold(name) {
    const told = await this.page.waitForFunction((wanted) => heard.find(({ name }) => name === wanted), name);
    return told.jsonValue();
  }

  /** The status of a request with the session, and the code of its refusal. */
  fetch(path, init) {
    return this.page.evaluate(async ([path, init]) => {
      const answer = await session.fetch(path, init);
      const body = await answer.json().catch(() => undefined);
      return { status: answer.status, code: body?.code, body };
    }, [path, init]);
  }

  /** Waits until the access token that the session has now is of no use any more. */
  async tokenRunsOut() {
    const { session: { access_expires_at: end } } = await this.state();
    await this.page.waitForFunction((end) => session.now() > end, end);
  }

  /** What this browser (all its tabs) has sent so far. */
  sent(what) {
    return this.#site.weather.of(what).filter((exchange) => this.isBy(exchange));
  }

  isBy(exchange) {
    return exchange.headers['x-browser'] === `${this.#browser}`;
  }

  /** Orders weather for this browser alone. */
  order(what, fate, how = {}) {
    return this.#site.weather.order(what, fate, { ...how, who: (exchange) => this.isBy(exchange) });
  }

  async leave() {
    for (const page of this.page.context().pages()) {
      if (page.url().startsWith(this.#site.origin)) await audit(page);
    }
    await this.page.context().close();
    assert.deepEqual(this.complaints, []);
  }

  async leaveEvidence() {
    const known = await this.page.evaluate(() => ({ state: session.current.get(), heard })).catch(String);
    console.error(JSON.stringify({ known, complaints: this.complaints }));
    await this.page.context().close();
  }
}

/** Runs in the page. `stepUp` names who proves once more who they are where that is asked. */
async function start(options) {
  const { createSession } = await import('/session/client.js');
  const { stepUp: user, ...plain } = options ?? {};
  const heard = [];
  const tell = (name, detail) => heard.push({ name, detail, at: Date.now() });
  const onStepUp = async ({ code }) => {
    tell('step-up', { code });
    await session.login('/login', { user, password: 'correct horse' });
    return true;
  };
  const session = createSession(user ? { ...plain, onStepUp } : plain);
  for (const name of ['expiring', 'ended', 'handed-over']) session.on(name, (detail) => tell(name, detail));
  session.current.subscribe(() => tell('state', session.current.get().status));
  Object.assign(globalThis, { session, heard });
  return session.ready;
}
