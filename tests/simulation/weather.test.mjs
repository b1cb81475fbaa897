// Bad weather over real HTTP: the built client in Node, the example server, and a proxy between them that lies.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { Server } from '../browser/server.mjs';
import { badGateway, replaced, rewritten, Weather } from '../browser/weather.mjs';
import { createSession } from './client.mjs';
import { Jar } from './jar.mjs';

const HOUR = 3_600_000;
/** An exchange is given up after two seconds. */
const FLAGS = ['--race-window', '6s'];

/** A browser as far as Node is none: cookies, and the headers that browsers add. */
class Page {
  jar = new Jar();
  skew = 0;
  sessions = [];

  open(origin, environment = {}) {
    const session = createSession({
      environment: {
        fetch: (input, init) => this.#fetch(input, init),
        now: () => Date.now() + this.skew,
        locks: undefined,
        openChannel: undefined,
        on: () => () => {},
        isOnline: () => true,
        isVisible: () => true,
        location: () => `${origin}/`,
        ...environment,
      },
    });
    this.sessions.push(session);
    return session;
  }

  async #fetch(input, init) {
    const headers = new Headers(init?.headers);
    const cookie = this.jar.header(Date.now() + this.skew);
    if (cookie) headers.set('cookie', cookie);
    headers.set('sec-fetch-site', 'same-origin');
    const response = await fetch(input, { ...init, headers });
    for (const line of response.headers.getSetCookie()) this.jar.receive(line, Date.now() + this.skew);
    return response;
  }

  close() {
    for (const session of this.sessions) session.close();
  }
}

/** Resolves with the first state that satisfies. */
function reaches(session, satisfies) {
  return new Promise((resolve) => {
    let stop = () => {};
    stop = session.current.subscribe((state) => {
      if (!satisfies(state)) return;
      resolve(state);
      queueMicrotask(() => stop());
    });
  });
}

const is = (status) => (state) => state.status === status;

describe('weather over real HTTP', { timeout: 120_000 }, () => {
  let weather;
  let server;
  let page;
  let session;

  before(async () => {
    weather = await Weather.start();
    // The proxy is the origin that people see.
    server = await Server.start([...FLAGS, '--origin', weather.origin]);
    weather.leadTo(server.origin);
  });

  after(async () => {
    await weather.gone();
    await server.remove();
  });

  beforeEach(async () => {
    page = new Page();
    session = page.open(weather.origin);
    await session.login('/login', { user: 'alice', password: 'correct horse' });
  });

  afterEach(async () => {
    page.close();
    await weather.clear();
  });

  const me = (own = session) => own.fetch('/api/me');

  /** Asks for something once the access token's cookie has expired, which the browser then forgets. */
  function later(own = session) {
    page.jar.forget('__Host-session');
    return me(own);
  }

  const lies = {
    'HTML with 200': replaced({ status: 200, headers: { 'content-type': 'text/html' }, body: '<h1>Wi-Fi</h1>' }),
    'HTML with 401': replaced({ status: 401, headers: { 'content-type': 'text/html' }, body: '<h1>Proxy login</h1>' }),
    'HTML with 502': badGateway,
    'an empty 200': replaced({ status: 200, headers: { 'content-type': 'application/json' } }),
    'half of the JSON': rewritten(({ body }) => ({ body: body.toString().slice(0, 40) })),
    'a connection that breaks': async (exchange) => exchange.hangUp(),
    'silence': () => new Promise(() => {}),
    'a refusal of the future': replaced({
      status: 401, headers: { 'content-type': 'application/problem+json' }, body: '{"status":401,"code":"device-untrusted"}',
    }),
    'a refusal in other words than ours': replaced({
      status: 401, headers: { 'content-type': 'application/json' }, body: '{"code":"session-ended","reason":"logout"}',
    }),
  };

  for (const [name, lie] of Object.entries(lies)) {
    test(`${name} in place of a refresh is no logout`, async () => {
      const { id } = session.current.get().session;
      const order = weather.order('POST /session/refresh', lie);
      const offline = reaches(session, is('offline'));
      await later().catch((error) => assert.match(error.name, /TypeError|TimeoutError/));
      assert.equal((await offline).session.id, id);
      order.cancel();
      assert.equal((await reaches(session, is('active'))).session.id, id);
      assert.equal((await me()).status, 200);
    });
  }

  for (const [name, skew] of [['ahead', 2 * HOUR], ['behind', -2 * HOUR]]) {
    test(`a clock two hours ${name} decides nothing`, async () => {
      page.skew = skew;
      const own = page.open(weather.origin);
      await own.ready;
      const earlier = weather.count('POST /session/refresh');
      assert.equal((await me(own)).status, 200);
      assert.equal((await later(own)).status, 200);
      assert.ok(Math.abs(own.now() - Date.now() / 1000) < 2, 'the estimated clock is the server\'s');
      const refreshed = weather.count('POST /session/refresh') - earlier;
      assert.ok(refreshed <= 3, `${refreshed} refreshes`);
    });
  }

  test('a cleared cookie jar is a sign-out, and the next login works', async () => {
    page.jar.clear();
    const gone = reaches(session, ({ status }) => status === 'ended' || status === 'signed-out');
    assert.equal((await later()).status, 401);
    assert.equal((await gone).session, undefined);
    await session.login('/login', { user: 'alice', password: 'correct horse' });
    assert.equal((await me()).status, 200);
  });

  const forbidden = () => {
    throw new DOMException('blocked', 'SecurityError');
  };
  const locked = { request: async () => forbidden(), query: async () => forbidden() };

  test('tabs refresh at once without locks and channel, or where both are forbidden', async () => {
    const tabs = [page.open(weather.origin), page.open(weather.origin, { openChannel: forbidden, locks: locked })];
    await Promise.all(tabs.map((tab) => tab.ready));
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all([session, ...tabs].map((tab) => later(tab)));
      assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200]);
    }
    for (const tab of [session, ...tabs]) assert.equal(tab.current.get().status, 'active');
  });

  test('a server that says more than this client knows is understood', async () => {
    const newer = rewritten(({ body }) => {
      const answer = JSON.parse(body);
      return { body: JSON.stringify({ ...answer, trust: [1], session: { ...answer.session, mood: 'good' } }) };
    });
    weather.order('POST /session/refresh', newer);
    assert.equal((await later()).status, 200);
    assert.equal(session.current.get().status, 'active');
  });

  test('a server that says less than this client knows is lived with', async () => {
    const older = rewritten(({ body, headers }) => {
      const { id, subject, expires_at } = JSON.parse(body).session;
      const { 'session-race-window': _, ...kept } = headers;
      return { headers: kept, body: JSON.stringify({ session: { id, subject, expires_at } }) };
    });
    weather.order('POST /session/refresh', older);
    assert.equal((await later()).status, 200);
    assert.equal((await later()).status, 200);
    assert.equal(session.current.get().status, 'active');
  });
});
