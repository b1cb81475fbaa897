// Bad weather: lost answers, no network, no server, machines on the way. Nobody is logged out by it.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { until } from './patience.mjs';
import { siteWith } from './stories.mjs';
import { answerHeld, answerLost, badGateway, closedGate, replaced, requestLost, rewritten } from './weather.mjs';

const REFRESH = 'POST /session/refresh';
const OVER = ['signed-out', 'ended'];

const json = { 'content-type': 'application/json' };
const nonsense = {
  'an HTML page with 502': badGateway,
  'an HTML page with 200': replaced({ status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Log in to the hotel</html>' }),
  'half a JSON document': rewritten(({ body }) => ({ body: body.subarray(0, body.length / 2) })),
  'JSON of something else': replaced({ status: 200, headers: json, body: '{"hello": ["world"]}' }),
  'an empty body': replaced({ status: 200, headers: json }),
  'null': replaced({ status: 200, headers: json, body: 'null' }),
  '401 of another machine': replaced({ status: 401, headers: { 'content-type': 'text/html', 'www-authenticate': 'Ticket realm="hotel"' }, body: 'Proxy' }),
  'a refusal that this client has never heard of': replaced({ status: 401, headers: { 'content-type': 'application/problem+json' }, body: '{"code": "moon-too-full", "status": 401}' }),
  '404 of a server that is being deployed': replaced({ status: 404, headers: { 'content-type': 'text/plain' }, body: 'no such app' }),
  '500': replaced({ status: 500, headers: { 'content-type': 'application/problem+json' }, body: '{"code": "internal", "status": 500}' }),
  '503 with Retry-After': replaced({ status: 503, headers: { 'content-type': 'application/problem+json', 'retry-after': '1' }, body: '{"code": "registry-unavailable", "status": 503}' }),
  '429 of a rate limit': replaced({ status: 429, headers: { 'content-type': 'application/problem+json', 'retry-after': '1' }, body: '{"code": "too-many-requests", "status": 429}' }),
};

describe('bad weather', { timeout: 300_000, concurrency: 3 }, () => {
  for (const transport of ['cookies', 'bearer']) {
    describe(`with ${transport}, as tokens run out`, { concurrency: 1 }, () => {
      const story = siteWith('--transport', transport, '--access-ttl', '2s');

      story('fifteen refresh answers are lost, and nobody is logged out', async ({ open }) => {
        const browsers = await Promise.all(Array.from({ length: 3 }, () => open()));
        await Promise.all(browsers.map(async (tab) => {
          await tab.logIn();
          for (let times = 1; times <= 5; times += 1) {
            tab.order(REFRESH, answerLost, { times: 1 });
            await tab.tokenRunsOut();
            await goesOn(tab);
            assert.equal(lost(tab), times);
          }
        }));
      });

      story('refreshes are lost on their way, three in a row, and nobody is logged out', async ({ open }) => {
        const tab = await open();
        await tab.logIn();
        tab.order(REFRESH, requestLost, { times: 3 });
        await tab.tokenRunsOut();
        await goesOn(tab);
        assert.equal(lost(tab), 3);
      });

      story('whatever answers instead of the server ends nothing', async ({ open }) => {
        const browsers = await Promise.all(Array.from({ length: 3 }, () => open()));
        await Promise.all(browsers.map(async (tab, n) => {
          await tab.logIn();
          for (const [what, fate] of Object.entries(nonsense).filter((_, at) => at % browsers.length === n)) {
            // As often as the client tries before its caller hears of it.
            tab.order(REFRESH, fate, { times: 3 });
            await tab.tokenRunsOut();
            await goesOn(tab, what);
          }
        }));
      });
    });

    describe(`with ${transport}, as a page is loaded`, { concurrency: 1 }, () => {
      const story = siteWith('--transport', transport);

      story('whatever answers instead of the server ends nothing', async ({ open }) => {
        const tab = await open();
        const { id } = await tab.logIn();
        for (const [what, fate] of Object.entries(nonsense)) {
          for (const path of ['GET /session', REFRESH]) tab.order(path, fate, { times: 1 });
          await tab.load();
          await goesOn(tab, what);
          assert.equal((await tab.state()).session.id, id);
        }
      });
    });
  }

  describe('that lasts', { concurrency: 1 }, () => {
    const story = siteWith('--access-ttl', '2s', '--race-window', '6s');

    story('an exchange that hangs is given up, and tried anew', async ({ open }) => {
      const tab = await open();
      await tab.logIn();
      const gate = closedGate();
      tab.order(REFRESH, answerHeld(gate), { times: 1 });
      await tab.tokenRunsOut();
      await goesOn(tab);
      const [hanging, ...more] = tab.sent(REFRESH).filter(({ status }) => status !== 401);
      assert.equal(hanging.status, undefined, 'given up before it was answered');
      assert.ok(more.length > 0);
      gate.open();
      assert.equal((await tab.fetch('/api/me')).status, 200);
    });
  });

  describe('at a login, where there is one seat', { concurrency: 1 }, () => {
    const story = siteWith('--user-limit', '1');

    story('a lost answer costs no second seat', async ({ open }) => {
      const tab = await open();
      tab.order('POST /login', answerLost, { times: 2 });
      const { subject } = await tab.logIn();
      assert.equal(subject, 'alice');
      assert.equal(tab.sent('POST /login').length, 3);
      assert.equal((await tab.page.evaluate(() => session.list())).length, 1);
      await isNeverOver(tab);
    });
  });

  describe('that passes', { concurrency: 1 }, () => {
    const story = siteWith();

    story('offline and back', async ({ open }) => {
      const tab = await open();
      const { id } = await tab.logIn();
      // An answer that is on its way yet would still be good news.
      await until(() => tab.sent('GET /session/events').some(({ status }) => status === 200));
      assert.equal((await tab.fetch('/api/me')).status, 200);
      await tab.page.context().setOffline(true);
      const away = await tab.becomes('offline');
      assert.equal(away.session.id, id);
      await assert.rejects(tab.fetch('/api/me'), /TypeError/);
      await tab.page.context().setOffline(false);
      const back = await tab.becomes('active');
      assert.equal(back.session.id, id);
      assert.equal((await tab.fetch('/api/me')).status, 200);
      await isNeverOver(tab);
    });

    story('a server that is gone and comes back', async ({ open, site }) => {
      const tab = await open();
      const { id } = await tab.logIn();
      await site.weather.gone();
      await assert.rejects(tab.fetch('/api/me'), /TypeError/);
      await tab.becomes('offline');
      await site.weather.clear();
      assert.equal((await tab.becomes('active')).session.id, id);
      await isNeverOver(tab);
    });

    story('a server that crashes and starts again', async ({ open, site }) => {
      const tab = await open();
      const { id } = await tab.logIn();
      await site.server.crash();
      await assert.rejects(tab.fetch('/api/me'), /TypeError/);
      await site.server.startAgain();
      assert.equal((await tab.becomes('active')).session.id, id);
      assert.equal((await tab.fetch('/api/me')).status, 200);
      await isNeverOver(tab);
    });

    story('an exclusive update whose answer is lost happens once', async ({ open }) => {
      const tab = await open();
      await tab.logIn();
      tab.order('POST /api/cart', answerLost, { times: 2 });
      const init = { method: 'POST', exclusive: true, headers: { 'content-type': 'application/json' }, body: '{"item": "coupon"}' };
      const { status, body } = await tab.fetch('/api/cart?exclusive=1', init);
      assert.equal(status, 200);
      assert.deepEqual(body.cart, ['coupon']);
      const keys = tab.sent('POST /api/cart').map(({ headers }) => headers['idempotency-key']);
      assert.equal(keys.length, 3);
      assert.equal(new Set(keys).size, 1);
      assert.ok(keys[0]);
    });

    story('a logout that does not reach the server does not claim that it did', async ({ open }) => {
      const tab = await open();
      await tab.logIn();
      tab.order('POST /session/logout', requestLost);
      await assert.rejects(tab.page.evaluate(() => session.logout()));
      await isNeverOver(tab);
    });
  });
});

/** Whoever asks again and again, as people do, gets an answer in the end; and was never told that the session is over. */
async function goesOn(tab, weather) {
  const outcome = await tab.page.evaluate(async () => {
    for (const end = Date.now() + 20_000; Date.now() < end;) {
      const answer = await session.fetch('/api/me').catch(() => undefined);
      if (answer?.status === 200) return 'goes on';
      await new Promise((resolve) => { setTimeout(resolve, 100); });
    }
    return session.current.get();
  });
  assert.equal(outcome, 'goes on', weather);
  await tab.becomes('active');
  await isNeverOver(tab);
}

/** Since its login. (Before that, it was signed out.) */
async function isNeverOver(tab) {
  const states = await tab.page.evaluate(() => heard.filter(({ name }) => name === 'state').map(({ detail }) => detail));
  assert.deepEqual(states.slice(states.indexOf('active')).filter((state) => OVER.includes(state)), []);
  assert.deepEqual(await tab.page.evaluate(() => heard.filter(({ name }) => name === 'ended')), []);
}

/** How many refreshes of this browser were never answered. */
function lost(tab) {
  return tab.sent(REFRESH).filter(({ status }) => status === undefined).length;
}
