// A session that nears its end says so, can be kept where that can be had, and ends everywhere at once.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { until } from './patience.mjs';
import { siteWith } from './stories.mjs';

const WITHIN_MS = 1000;

describe('the end of a session', { timeout: 300_000, concurrency: 3 }, () => {
  describe('for want of use', { concurrency: 1 }, () => {
    const story = siteWith('--idle-timeout', '63s');

    story('is announced a minute before, and put off by who is there', async ({ open }) => {
      const tab = await open();
      const before = await tab.logIn();
      const { detail } = await tab.isTold('expiring');
      assert.deepEqual(detail, { kind: 'idle', at: before.idle_expires_at });
      const after = await tab.page.evaluate(() => session.extend());
      assert.ok(after.idle_expires_at > before.idle_expires_at);
      assert.equal(after.id, before.id);
      const ends = () => tab.page.evaluate(() => heard.filter(({ name }) => name === 'expiring').map(({ detail }) => detail.at));
      await until(async () => (await ends()).at(-1), after.idle_expires_at);
    });

    story('is announced by the page, which offers to stay', async ({ arrive }) => {
      const alice = await arrive();
      await alice.logIn('alice');
      await alice.isSignedInAs('alice');
      await alice.see('expiry').waitFor();
      await alice.portrait('expiring-unused');
      await alice.see('stay').click();
      await alice.see('expiry').waitFor({ state: 'hidden' });
      await alice.isSignedInAs('alice');
    });
  });

  describe('for good', { concurrency: 1 }, () => {
    const story = siteWith('--lifetime', '63s', '--idle-timeout', '63s');

    story('is announced a minute before, and nothing puts it off', async ({ open }) => {
      const tab = await open();
      const before = await tab.logIn();
      const { detail } = await tab.isTold('expiring');
      assert.equal(detail.at, before.expires_at);
      const after = await tab.page.evaluate(() => session.extend());
      assert.equal(after.expires_at, before.expires_at);
    });

    story('is announced by the page, which offers another login', async ({ arrive }) => {
      const alice = await arrive();
      await alice.logIn('alice');
      await alice.see('expiry').waitFor();
      await alice.see('relogin').waitFor();
      await alice.portrait('expiring');
      assert.equal(await alice.see('stay').isVisible(), false);
      await alice.see('relogin').click();
      await alice.proveWhoTheyAre();
      await alice.see('expiry').waitFor({ state: 'hidden' });
      await alice.isSignedInAs('alice');
    });
  });

  describe('that nobody used', { concurrency: 1 }, () => {
    const story = siteWith('--idle-timeout', '4s', '--access-ttl', '2s');

    story('comes when it was announced, and says why', async ({ open }) => {
      const tab = await open();
      const { idle_expires_at: end } = await tab.logIn();
      const { detail, at } = await tab.isTold('ended');
      assert.equal(detail.reason, 'idle');
      assert.ok(at >= end * 1000, `${at - end * 1000} ms`);
      assert.equal((await tab.state()).status, 'ended');
      assert.equal((await tab.fetch('/api/me')).status, 401);
    });
  });

  describe('for good, with somebody there', { concurrency: 1 }, () => {
    const story = siteWith('--lifetime', '4s', '--idle-timeout', '4s', '--access-ttl', '2s');

    story('comes all the same, and says why', async ({ open }) => {
      const tab = await open();
      const { expires_at: end } = await tab.logIn();
      await tab.page.evaluate(async () => {
        while (session.current.get().status !== 'ended') {
          await session.fetch('/api/me').catch(() => {});
          await new Promise((resolve) => { setTimeout(resolve, 100); });
        }
      });
      const { detail, at } = await tab.isTold('ended');
      assert.equal(detail.reason, 'expired');
      assert.ok(at >= end * 1000, `${at - end * 1000} ms`);
    });
  });

  describe('that comes from elsewhere', { concurrency: 1 }, () => {
    const story = siteWith();

    for (const [how, end] of Object.entries({
      'a logout here': (tab) => tab.page.evaluate(() => session.logout()),
      'another device': async (tab, elsewhere) => {
        const { session: { id } } = await tab.state();
        await elsewhere.page.evaluate((id) => session.end(id), id);
      },
    })) {
      story(`closes open streams within a second, by ${how}`, async ({ open, site }) => {
        const [tab, elsewhere] = [await open(), await open()];
        for (const one of [tab, elsewhere]) await one.logIn();
        const atServer = site.weather.next('GET /api/stream', 'ended');
        await tab.page.evaluate(listen);
        await end(tab, elsewhere);
        const acknowledged = Date.now();
        const { ended } = await atServer;
        assert.ok(ended - acknowledged < WITHIN_MS, `${ended - acknowledged} ms`);
        const { at } = await tab.isTold('stream closed');
        assert.ok(at - acknowledged < WITHIN_MS, `${at - acknowledged} ms`);
        const events = tab.sent('GET /session/events');
        assert.deepEqual(events.filter((stream) => !(stream.ended - acknowledged < WITHIN_MS)), []);
        assert.ok(events.length > 0);
      });
    }
  });
});

/** Runs in the page: listens to the server's ticks, and notes when they are over. */
async function listen() {
  const { body } = await session.fetch('/api/stream');
  const reader = body.getReader();
  await reader.read();
  (async () => {
    while (!(await reader.read()).done);
  })().catch(() => {}).then(() => heard.push({ name: 'stream closed', at: Date.now() }));
}
