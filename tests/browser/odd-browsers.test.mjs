// Browsers that are not as they should be: clocks, jars, and parts of the platform that are missing or in the way.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { siteWith } from './stories.mjs';
import { rewritten } from './weather.mjs';

const HOURS = 3_600_000;

/** What a story takes away, before the page. */
const missing = {
  'BroadcastChannel': () => { delete globalThis.BroadcastChannel; },
  'Web Locks': () => Object.defineProperty(Navigator.prototype, 'locks', { value: undefined }),
  'both': () => {
    delete globalThis.BroadcastChannel;
    Object.defineProperty(Navigator.prototype, 'locks', { value: undefined });
  },
  'permission for either': () => {
    globalThis.BroadcastChannel = class { constructor() { throw new DOMException('forbidden', 'SecurityError'); } };
    const refuse = () => Promise.reject(new DOMException('forbidden', 'SecurityError'));
    // The blank page that every tab begins with has none.
    if (globalThis.LockManager) Object.assign(LockManager.prototype, { request: refuse, query: refuse });
  },
};

describe('odd browsers', { timeout: 300_000, concurrency: 3 }, () => {
  for (const transport of ['cookies', 'bearer']) {
    describe(`with ${transport}`, { concurrency: 1 }, () => {
      const story = siteWith('--transport', transport, '--access-ttl', '2s');

      for (const hours of [-2, 2]) {
        story(`a clock that is ${hours} hours off is of no importance`, async ({ open }) => {
          const tab = await open({ prepare: (context) => context.addInitScript(shiftClock, hours * HOURS) });
          const { id } = await tab.logIn();
          assert.ok(Math.abs(await tab.page.evaluate(() => Date.now()) - Date.now() - hours * HOURS) < HOURS);
          assert.ok(Math.abs(await tab.page.evaluate(() => session.now()) - Date.now() / 1000) < 5);
          await uses(tab, 2);
          assert.equal((await tab.state()).session.id, id);
          assert.ok(tab.sent('POST /session/refresh').length < 8, 'it refreshes when it should, not all the time');
        });
      }

      story('a jar that is emptied is a logout, once that is noticed', async ({ open }) => {
        const tab = await open();
        await tab.logIn();
        await tab.page.context().clearCookies();
        await tab.tokenRunsOut();
        assert.equal((await tab.fetch('/api/me')).status, 401);
        assert.deepEqual(await tab.becomes('ended'), { status: 'ended' }, 'nobody knows why');
        await tab.logIn();
        assert.equal((await tab.fetch('/api/me')).status, 200);
      });

      for (const [what, remove] of Object.entries(missing)) {
        story(`without ${what}, two tabs refresh at once and stay`, async ({ open }) => {
          const first = await open({ prepare: (context) => context.addInitScript(remove) });
          const { id } = await first.logIn();
          const second = await first.another();
          assert.equal((await second.state()).session.id, id);
          await Promise.all([uses(first, 2), uses(second, 2)]);
          await first.page.evaluate(() => session.logout());
          // Without a channel it hears so by the event stream, or at its next request.
          assert.equal((await second.fetch('/api/me')).status, 401);
          await second.page.waitForFunction(() => ['ended', 'signed-out'].includes(session.current.get().status));
        });
      }

      story('two servers of different versions behind one address are one server', async ({ open }) => {
        const tab = await open();
        for (const path of ['GET /session', 'POST /session/refresh', 'POST /login', 'GET /session/list']) {
          let turn = 0;
          tab.order(path, rewritten((answer) => ((turn += 1) % 2 ? fromTheFuture(answer) : fromThePast(answer))));
        }
        tab.order('GET /session/events', rewrittenStream);
        await tab.load();
        const { id } = await tab.logIn();
        await uses(tab, 2);
        assert.equal((await tab.state()).session.id, id);
        const list = await tab.page.evaluate(() => session.list());
        assert.ok(list.some(({ current }) => current));
      });
    });
  }

  describe('with a worker in between', { concurrency: 1 }, () => {
    const story = siteWith('--access-ttl', '2s');

    story('one that passes everything on changes nothing', async ({ open, site }) => {
      site.serve('/worker.js', 'text/javascript', `(${passesOn})()`);
      const tab = await open();
      await isWorking(tab);
      await tab.logIn();
      await uses(tab, 2);
      await tab.page.evaluate(() => session.logout());
      assert.equal((await tab.fetch('/api/me')).status, 401);
      assert.equal((await tab.load()).status, 'signed-out');
    });

    story('one that serves old answers revives nothing', async ({ open, site }) => {
      site.serve('/worker.js', 'text/javascript', `(${servesOldAnswers})()`);
      const tab = await open();
      await isWorking(tab);
      await tab.logIn();
      await uses(tab, 2);
      await tab.load();
      await tab.page.evaluate(() => session.logout());
      await tab.becomes('signed-out');
      // The worker still tells the session as it was. Whoever asks the server itself is told the truth.
      await tab.load();
      const told = await tab.page.evaluate(() => session.extend().catch(({ status }) => status));
      assert.equal(told, 401);
      await tab.page.waitForFunction(() => ['ended', 'signed-out'].includes(session.current.get().status));
    });
  });
});

/** Uses the session until its access token has run out, several times. */
async function uses(tab, times) {
  for (let done = 0; done < times; done += 1) {
    assert.equal((await tab.fetch('/api/me')).status, 200);
    await tab.tokenRunsOut();
  }
  assert.equal((await tab.fetch('/api/me')).status, 200);
}

/** Runs in the page, before it. */
function shiftClock(by) {
  globalThis.Date = new Proxy(Date, {
    construct: (date, given) => (given.length > 0 ? new date(...given) : new date(date.now() + by)),
    get: (date, name) => (name === 'now' ? () => date.now() + by : date[name]),
  });
}

/** Members, kinds and headers that this client has never heard of. */
function fromTheFuture({ headers, body }) {
  const told = JSON.parse(body);
  const more = told.session ? { session: { ...told.session, colour: 'green', seats: [{}] } } : {};
  return { headers: { ...headers, 'session-colour': 'green' }, body: JSON.stringify({ ...told, ...more, version: 9 }) };
}

/** A server that does not tell its race window yet. */
function fromThePast({ headers }) {
  const { 'session-race-window': _, ...older } = headers;
  return { headers: older };
}

/** An event of a kind that this client has never heard of, and one with more in it, ahead of the true ones. */
async function rewrittenStream(exchange) {
  const strange = 'event: weather\ndata: {"rain": true}\n\n: a remark\n\nid: 7\nevent: keepalive\ndata: {"n": 1}\n\n';
  await exchange.stream(await exchange.open(), strange);
}

async function isWorking(tab) {
  await tab.page.evaluate(async () => {
    await navigator.serviceWorker.register('/worker.js');
    await navigator.serviceWorker.ready;
    if (navigator.serviceWorker.controller) return;
    await new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }));
  });
  await tab.load();
}

/** The worker's own code. */
function passesOn() {
  addEventListener('install', () => skipWaiting());
  addEventListener('activate', (event) => event.waitUntil(clients.claim()));
  addEventListener('fetch', (event) => event.respondWith(fetch(event.request)));
}

/** The worker's own code: the first answer is the answer for ever. */
function servesOldAnswers() {
  const old = new Map();
  addEventListener('install', () => skipWaiting());
  addEventListener('activate', (event) => event.waitUntil(clients.claim()));
  addEventListener('fetch', (event) => {
    const { method, url } = event.request;
    if (method !== 'GET' || !url.endsWith('/session')) return;
    event.respondWith((async () => {
      const known = old.get(url);
      if (known) return known.clone();
      const answer = await fetch(event.request);
      if (answer.ok) old.set(url, answer.clone());
      return answer;
    })());
  });
}
