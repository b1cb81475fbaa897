// One person at several devices: limits, ending a session from afar, and proving once more who one is.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { until } from './patience.mjs';
import { siteWith } from './stories.mjs';

const WITHIN_MS = 1000;

describe('several devices', { timeout: 300_000, concurrency: 3 }, () => {
  describe('at a limit of one, with the rule ask', { concurrency: 1 }, () => {
    const story = siteWith('--user-limit', '1', '--on-full', 'ask');

    story('the second is asked which of them ends, and goes on', async ({ arrive }) => {
      const [desk, phone] = [await arrive(), await arrive()];
      await desk.logIn('alice');
      await desk.isSignedInAs('alice');
      await phone.logIn('alice');
      await phone.see('ask').waitFor();
      assert.equal(await phone.see('ask-session').count(), 1);
      await phone.portrait('ask');
      await phone.see('ask-end').click();
      await phone.isSignedInAs('alice');
      await desk.isSignedOut();
      await phone.logOut();
      await phone.isSignedOut();
    });

    story('a refusal is a state, with the sentence for people', async ({ open }) => {
      const [desk, phone] = [await open(), await open()];
      await desk.logIn('bob');
      const problem = await phone.page.evaluate(() => session.login('/login', { user: 'bob', password: 'correct horse' })
        .catch(({ status, code, detail, limit, scope, sessions, choice }) => ({ status, code, detail, limit, scope, sessions, choice })));
      assert.deepEqual([problem.status, problem.code, problem.limit, problem.scope], [429, 'sessions-limit', 1, 'user']);
      assert.equal((await phone.state()).status, 'limit-reached');
      assert.equal(await phone.page.evaluate(() => session.current.get().problem.message), problem.detail);
      const admitted = await phone.page.evaluate(({ choice, sessions }) => session.admit(choice, sessions[0].id), problem);
      assert.equal(admitted.subject, 'bob');
      await phone.becomes('active');
      await desk.isTold('ended');
    });
  });

  describe('at a limit of one, with the rule refuse', { concurrency: 1 }, () => {
    const story = siteWith('--user-limit', '1');

    story('the second is told so, and gets in once the first has left', async ({ arrive }) => {
      const [desk, phone] = [await arrive(), await arrive()];
      await desk.logIn('alice');
      await desk.isSignedInAs('alice');
      await phone.logIn('alice');
      await phone.reads(/There is already 1 active user session/);
      assert.equal(await phone.see('login-password').getAttribute('aria-invalid'), null, 'the password was right');
      await phone.portrait('limit-refused');
      await phone.isSignedOut();
      await desk.logOut();
      await desk.isSignedOut();
      await phone.logIn('alice');
      await phone.isSignedInAs('alice');
    });
  });

  describe('without a limit', { concurrency: 1 }, () => {
    const story = siteWith();

    story('one ends another, which knows within a second', async ({ open }) => {
      const [desk, phone] = [await open(), await open()];
      for (const device of [desk, phone]) await device.logIn('bob');
      await listens(phone);
      const { done, left } = await desk.page.evaluate(async () => {
        const other = (await session.list()).find(({ current }) => !current);
        await session.end(other.id);
        return { done: Date.now(), left: (await session.list()).length };
      });
      assert.equal(left, 1);
      const { detail, at } = await phone.isTold('ended');
      assert.equal(detail.reason, 'ended-by-user');
      assert.ok(at - done < WITHIN_MS, `${at - done} ms`);
      assert.deepEqual(await phone.state(), { status: 'ended', reason: 'ended-by-user' });
      assert.equal((await desk.fetch('/api/me')).status, 200);
    });

    story('one ends all others', async ({ open }) => {
      const devices = [await open(), await open(), await open()];
      for (const device of devices) await device.logIn('carol');
      const [desk, ...others] = devices;
      assert.equal(await desk.page.evaluate(() => session.endOthers()), 2);
      for (const device of others) assert.equal((await device.isTold('ended')).detail.reason, 'ended-by-user');
      assert.equal((await desk.state()).status, 'active');
    });

    story('what is not there cannot be ended, and that ends nothing', async ({ open }) => {
      const tab = await open();
      await tab.logIn('carol');
      const code = await tab.page.evaluate(() => session.end('AAAAAAAAAAAAAAAAAAAAAA').catch(({ code }) => code));
      assert.equal(code, 'not-found');
      assert.equal((await tab.state()).status, 'active');
    });
  });

  describe('after a login that is a while ago', { concurrency: 1 }, () => {
    const story = siteWith('--fresh-for', '3s');
    const grows = (tab) => tab.page.waitForFunction(() => session.now() > session.current.get().session.auth_time + 4);

    story('the application is asked to prove who is there, and the act is repeated', async ({ open }) => {
      const [desk, phone] = [await open({ options: { stepUp: 'bob' } }), await open()];
      for (const device of [desk, phone]) await device.logIn('bob');
      await grows(desk);
      assert.equal(await desk.page.evaluate(() => session.endOthers()), 1);
      assert.equal((await desk.isTold('step-up')).detail.code, 'step-up-required');
      assert.equal((await phone.isTold('ended')).detail.reason, 'ended-by-user');
      assert.equal((await desk.state()).status, 'active');
    });

    story('an application that cannot ask is told', async ({ open }) => {
      const tab = await open();
      await tab.logIn('carol');
      await grows(tab);
      assert.equal(await tab.page.evaluate(() => session.endOthers().catch(({ code }) => code)), 'step-up-required');
      assert.equal((await tab.state()).status, 'active');
    });

    story('the page asks for the password, and a wrong one changes nothing', async ({ arrive }) => {
      const [desk, phone] = [await arrive(), await arrive()];
      for (const device of [desk, phone]) {
        await device.logIn('alice');
        await device.isSignedInAs('alice');
      }
      await desk.page.reload();
      await desk.seesDevices(2);
      await desk.loginGrowsOld(3);
      await desk.see('devices-end-others').click();
      await desk.proveWhoTheyAre('wrong horse');
      await desk.see('confirm-error').waitFor();
      await desk.see('confirm-cancel').click();
      await desk.seesDevices(2);
      await phone.isSignedInAs('alice');

      await desk.see('devices-end-others').click();
      await desk.proveWhoTheyAre();
      await desk.seesDevices(1);
      await phone.isSignedOut();
    });
  });
});

/** Waits until it listens to the server's events. */
function listens(tab) {
  return until(() => tab.sent('GET /session/events').some(({ status }) => status === 200));
}
