// Tokens that are bound to a key of the browser (RFC 9449): of no use to whoever steals them.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { siteWith } from './stories.mjs';
import { Thief, read } from './thief.mjs';

const DPOP = ['--transport', 'bearer', '--dpop', 'required'];

describe('DPoP', { timeout: 300_000, concurrency: 3 }, () => {
  describe('where the site demands it', { concurrency: 1 }, () => {
    const story = siteWith(...DPOP);

    story('a stolen token is of no use, and its owner goes on', async ({ open, site }) => {
      const tab = await open();
      await tab.logIn();
      const { authorization, dpop } = await steal(tab);
      assert.match(authorization, /^DPoP /);
      const token = authorization.slice('DPoP '.length);
      const thief = new Thief(site.origin);

      const outcome = async (headers, path = '/api/me', method = 'GET') => {
        const { status, code } = await thief.asks(path, headers, method);
        return `${status} ${code}`;
      };
      assert.equal(await outcome({ authorization: `Bearer ${token}` }), '401 dpop-required');
      assert.equal(await outcome({ authorization }), '401 dpop-required');
      assert.equal(await outcome({ authorization, dpop }), '401 dpop-invalid', 'the proof was used');
      assert.equal(await outcome({ authorization, dpop }, '/api/cart'), '401 dpop-invalid', 'it was for another path');
      assert.equal(await outcome({ authorization, dpop }, '/session/logout-others', 'POST'), '401 dpop-invalid');

      const { nonce } = await thief.asks('/api/me', { authorization });
      const own = thief.proof({ method: 'GET', path: '/api/me', token, nonce });
      assert.equal(await outcome({ authorization, dpop: own }), '401 dpop-invalid', 'it is of another key');
      assert.equal(await outcome({ authorization: `Bearer ${token}`, dpop: own }), '401 dpop-required');

      assert.equal((await tab.fetch('/api/me')).status, 200);
      assert.equal((await tab.state()).status, 'active');
    });

    story('every request has a proof of its own, all by one key', async ({ open }) => {
      const tab = await open();
      await tab.logIn();
      for (let times = 0; times < 3; times += 1) assert.equal((await tab.fetch('/api/me')).status, 200);
      const proofs = tab.sent('GET /api/me').map(({ headers }) => read(headers.dpop));
      assert.equal(new Set(proofs.map(({ jti }) => jti)).size, proofs.length);
      assert.equal(new Set(proofs.map(({ jwk }) => jwk.x)).size, 1);
    });

    story('the key outlives a reload, in a form that no script can read', async ({ open }) => {
      const tab = await open();
      const { id } = await tab.logIn();
      await tab.fetch('/api/me');
      const known = await tab.load();
      assert.deepEqual([known.status, known.session.id], ['active', id]);
      assert.equal((await tab.fetch('/api/me')).status, 200);
      const keys = tab.sent('GET /api/me').map(({ headers }) => read(headers.dpop).jwk.x);
      assert.equal(new Set(keys).size, 1);

      const kept = await tab.page.evaluate(keysKept);
      assert.deepEqual(kept.map(({ extractable }) => extractable), [false]);
      await assert.rejects(tab.page.evaluate(exportsKey), /not extractable/);
    });

    story('two tabs share key and session', async ({ open }) => {
      const first = await open();
      await first.logIn();
      const second = await first.another();
      for (const tab of [first, second]) assert.equal((await tab.fetch('/api/me')).status, 200);
      assert.equal(new Set(first.sent('GET /api/me').map(({ headers }) => read(headers.dpop).jwk.x)).size, 1);
    });
  });

  describe('as tokens run out', { concurrency: 1 }, () => {
    const story = siteWith(...DPOP, '--access-ttl', '2s');

    story('refreshes are proved too', async ({ open }) => {
      const tab = await open();
      await tab.logIn();
      for (let times = 0; times < 2; times += 1) {
        await tab.tokenRunsOut();
        assert.equal((await tab.fetch('/api/me')).status, 200);
      }
      assert.ok(tab.sent('POST /session/refresh').filter(({ headers, status }) => headers.dpop && status === 200).length >= 2);
    });
  });

  describe('where it is offered, and the browser does not ask for it', { concurrency: 1 }, () => {
    const story = siteWith('--transport', 'bearer');

    story('tokens are bearer tokens', async ({ open }) => {
      const tab = await open();
      await tab.logIn();
      await tab.fetch('/api/me');
      assert.match(tab.sent('GET /api/me').at(-1).headers.authorization, /^Bearer /);
      assert.equal(tab.sent('GET /session/dpop.js').length, 0);
    });
  });

  for (const [how, prepare] of Object.entries({ forbidden, failing })) {
    describe(`with an IndexedDB that is ${how}, as in some private windows`, { concurrency: 1 }, () => {
      const story = siteWith(...DPOP, '--access-ttl', '2s');

      story('the session lives as long as its tab', async ({ open }) => {
        const tab = await open({ prepare: (context) => context.addInitScript(prepare) });
        await tab.logIn();
        assert.equal((await tab.fetch('/api/me')).status, 200);
        await tab.tokenRunsOut();
        assert.equal((await tab.fetch('/api/me')).status, 200);
        // The key is gone with the page: its tokens are of no use to anybody any more, and a login is.
        const { status } = await tab.load();
        assert.ok(['signed-out', 'ended'].includes(status), status);
        await tab.logIn();
        assert.equal((await tab.fetch('/api/me')).status, 200);
      });
    });
  }
});

/** The headers of a request that the page has just made: all that a script in it could ever see. */
async function steal(tab) {
  assert.equal((await tab.fetch('/api/me')).status, 200);
  return tab.sent('GET /api/me').at(-1).headers;
}

/** Runs in the page, before it. */
function forbidden() {
  Object.defineProperty(globalThis, 'indexedDB', { get() { throw new DOMException('forbidden', 'SecurityError'); } });
}

/** Runs in the page, before it. */
function failing() {
  IDBFactory.prototype.open = () => {
    const request = {};
    queueMicrotask(() => request.onerror?.(new Event('error')));
    return request;
  };
}

/** Runs in the page. */
async function keysKept() {
  const done = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
  const kept = [];
  for (const { name } of await indexedDB.databases()) {
    const database = await done(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      kept.push(...await done(database.transaction(store).objectStore(store).getAll()));
    }
    database.close();
  }
  globalThis.stolen = kept[0].privateKey;
  return kept.map(({ privateKey: { extractable, usages } }) => ({ extractable, usages }));
}

/** Runs in the page. */
async function exportsKey() {
  await crypto.subtle.exportKey('jwk', globalThis.stolen);
}
