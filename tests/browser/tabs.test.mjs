// Several tabs of one browser are one session: what one of them does, all know at once.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { until } from './patience.mjs';
import { siteWith } from './stories.mjs';
import { badGateway } from './weather.mjs';

const WITHIN_MS = 1000;

describe('tabs of one browser', { timeout: 300_000 }, () => {
  for (const transport of ['cookies', 'bearer']) {
    describe(`with ${transport}`, () => {
      const story = siteWith('--transport', transport);

      story('a login in one is a login in all', async ({ open }) => {
        const first = await open();
        const second = await first.another();
        assert.deepEqual((await second.state()).status, 'signed-out');
        const { id } = await first.logIn();
        const { session } = await second.becomes('active');
        assert.equal(session.id, id);
        assert.equal((await second.fetch('/api/me')).body.subject, 'alice');
      });

      const logout = (weather) => async ({ open }) => {
        const first = await open();
        weather(first);
        await first.logIn();
        const others = [await first.another(), await first.another()];
        const done = await first.page.evaluate(async () => {
          await session.logout();
          return Date.now();
        });
        for (const tab of others) {
          const { at, detail } = await tab.isTold('ended');
          assert.ok(at - done < WITHIN_MS, `${at - done} ms`);
          assert.equal(detail.reason, 'logout');
          assert.equal((await tab.fetch('/api/me')).status, 401);
        }
      };
      story('a logout in one is seen in all within a second', logout(() => {}));
      story('so it is where no event stream gets through', logout((tab) => tab.order('GET /session/events', badGateway)));

      story('a reload goes on with the session, without another login', async ({ open }) => {
        const tab = await open();
        const { id } = await tab.logIn();
        const known = await tab.load();
        assert.deepEqual([known.status, known.session.id], ['active', id]);
        assert.equal((await tab.fetch('/api/me')).status, 200);
      });

      story('a logout outlives a reload', async ({ open }) => {
        const tab = await open();
        await tab.logIn();
        await tab.page.evaluate(() => session.logout());
        assert.equal((await tab.load()).status, 'signed-out');
      });

      story('three tabs hold one event stream; where its tab closes, another takes over', async ({ open, site }) => {
        const first = await open();
        await first.logIn();
        const others = [await first.another(), await first.another()];
        const streams = () => first.sent('GET /session/events');
        const isOpen = ({ ended }) => ended === undefined;
        // Each has asked the server something since: whoever wanted a stream has asked for it before.
        for (const tab of [first, ...others]) assert.equal((await tab.fetch('/api/me')).status, 200);
        if (streams().length === 0) await site.weather.next('GET /session/events');
        assert.equal(streams().length, 1);

        const opened = site.weather.next('GET /session/events');
        const leader = await leaderOf([first, ...others]);
        await leader.page.close();
        await opened;
        await until(() => streams().filter(isOpen).length, 1);
        const [told] = [first, ...others].filter((tab) => tab !== leader);
        const elsewhere = await open();
        await elsewhere.logIn();
        await elsewhere.page.evaluate(() => session.endOthers());
        assert.equal((await told.isTold('ended')).detail.reason, 'ended-by-user');
      });
    });
  }
});

/** The tab that holds the lock of the stream: each knows its own client id by holding a lock of its own. */
async function leaderOf(tabs) {
  for (const tab of tabs) {
    const leads = await tab.page.evaluate(async () => {
      const { held } = await navigator.locks.request(`probe ${Math.random()}`, async (own) => {
        const all = await navigator.locks.query();
        return { held: all.held.map(({ name, clientId }) => ({ name, clientId, own: name === own.name })) };
      });
      const { clientId } = held.find(({ own }) => own);
      return held.some((lock) => lock.clientId === clientId && lock.name.endsWith(':stream'));
    });
    if (leads) return tab;
  }
  throw new Error('no tab leads');
}
