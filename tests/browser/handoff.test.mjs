// A session continues on another device: by a link that is good once, and never without somebody's yes.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { until } from './patience.mjs';
import { siteWith } from './stories.mjs';
import { Weather, replaced } from './weather.mjs';

const REDEEM = 'POST /session/handoff/redeem';

describe('handoff', { timeout: 300_000 }, () => {
  const story = siteWith();

  story('a link continues the session on another device, once', async ({ arrive }) => {
    const [desk, phone, thief] = [await arrive(), await arrive(), await arrive()];
    const link = await makesLink(desk);
    await desk.see('handoff-qr').waitFor();
    await desk.portrait('handoff-offer');

    await phone.opens(link);
    await phone.see('redeem').waitFor();
    await phone.reads(/Continue as alice\?/);
    await phone.portrait('handoff-question');
    await phone.isNobody();
    await phone.see('redeem-confirm').click();
    await phone.isSignedInAs('alice');
    await desk.reads(/continue|handed|another device|goes on/i);
    await desk.seesDevices(2);
    await desk.portrait('handoff-told');

    // A used code is told at once: there is nothing to confirm.
    await thief.opens(link);
    await thief.see('notice').filter({ hasText: /\S/ }).waitFor();
    assert.equal(await thief.see('redeem-confirm').isVisible(), false);
    await thief.portrait('handoff-used');
    await thief.isSignedOut();
    await thief.isNobody();
    await desk.seesDevices(2);
  });

  story('the giver is told which device it was', async ({ open }) => {
    const [desk, phone] = [await open(), await open()];
    const { id } = await desk.logIn('bob');
    await until(() => desk.sent('GET /session/events').some(({ status }) => status === 200));
    const { code } = await desk.page.evaluate(() => session.handoff());
    const giver = await phone.page.evaluate((code) => session.redeem(code), code);
    assert.equal(giver.subject, 'bob');
    assert.equal((await phone.state()).status, 'signed-out');
    const taken = await phone.page.evaluate((code) => session.redeem(code, 'bob'), code);
    assert.equal(taken.subject, 'bob');
    assert.notEqual(taken.id, id);
    assert.ok(taken.amr.includes('handoff'));
    assert.equal((await desk.isTold('handed-over')).detail.device, taken.device);
    assert.equal((await phone.fetch('/api/me')).body.subject, 'bob');
    const again = await phone.page.evaluate(() => session.handoff().catch(({ code }) => code));
    assert.equal(again, 'step-up-required', 'what was handed off is not handed on');
  });

  story('a code is good once, and only for whom it names', async ({ open }) => {
    const [desk, phone, late] = [await open(), await open(), await open()];
    await desk.logIn('bob');
    const { code, expiresAt } = await desk.page.evaluate(() => session.handoff());
    assert.ok(expiresAt > Date.now() / 1000 + 50);
    const redeem = (tab, confirm) => tab.page.evaluate(({ code, confirm }) => session.redeem(code, confirm)
      .then(({ subject }) => subject, ({ code }) => code), { code, confirm });
    assert.equal(await redeem(phone, 'alice'), 'bad-request');
    assert.equal(await redeem(phone, 'bob'), 'bob');
    assert.equal(await redeem(late, 'bob'), 'token-invalid');
    assert.equal((await late.state()).status, 'signed-out');
  });

  story('a donated link makes nobody somebody else without their yes', async ({ arrive, site }) => {
    const [eve, alice] = [await arrive(), await arrive()];
    await alice.logIn('alice');
    await alice.isSignedInAs('alice');
    await alice.addToCart('tea');
    await alice.hasInCart('tea');
    const link = await makesLink(eve, 'carol');

    const before = site.weather.count(REDEEM);
    await alice.opens(link);
    await alice.see('redeem').waitFor();
    await alice.reads(/You are logged in here as alice/);
    await alice.portrait('handoff-donated');
    assert.equal(site.weather.count(REDEEM), before + 1, 'it has only asked whose it is');
    await alice.page.keyboard.press('Escape');
    await alice.see('redeem').waitFor({ state: 'hidden' });
    await alice.isSignedInAs('alice');
    assert.equal(new URL(alice.page.url()).hash, '', 'the code does not stay in the address');
    await alice.page.reload();
    await alice.isSignedInAs('alice');
    await alice.hasInCart('tea');
    await eve.seesDevices(1);
    assert.equal(site.weather.count(REDEEM), before + 1);
  });

  story('another site redeems nothing', async ({ arrive, open, site }) => {
    const [desk, victim] = [await open(), await arrive()];
    await desk.logIn('bob');
    const { code } = await desk.page.evaluate(() => session.handoff());
    const elsewhere = await Weather.start();
    elsewhere.order('GET /', replaced({ status: 200, headers: { 'content-type': 'text/html' }, body: '<!doctype html><title>elsewhere</title>' }));
    try {
      // Another name of this machine is another site.
      await victim.page.goto(elsewhere.origin.replace('127.0.0.1', 'localhost'));
      const refused = site.weather.next(REDEEM, 'ended');
      const body = JSON.stringify({ code, confirm: 'bob' });
      // Nobody there may read the answer.
      await assert.rejects(victim.page.evaluate(([url, body]) => fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include', body }),
        [`${site.origin}/session/handoff/redeem`, body]), /Failed to fetch/);
      assert.ok([403, 415].includes((await refused).status));
      const submitted = site.weather.next(REDEEM, 'ended');
      await victim.page.evaluate(([action, value]) => {
        const form = Object.assign(document.createElement('form'), { action, method: 'POST', enctype: 'text/plain' });
        form.append(Object.assign(document.createElement('input'), { name: value.slice(0, -1) + ', "x": "', value: '"}' }));
        document.body.append(form);
        form.submit();
      }, [`${site.origin}/session/handoff/redeem`, body]);
      assert.ok([403, 415].includes((await submitted).status));
      await victim.page.waitForURL(`${site.origin}/session/handoff/redeem`);
      await victim.page.goto(site.origin);
      await victim.isSignedOut();
      assert.equal(await victim.cookie('__Host-session'), undefined);
      const taken = await desk.page.evaluate((code) => session.redeem(code), code);
      assert.equal(taken.subject, 'bob', 'the code was not used up');
    } finally {
      await elsewhere.gone();
    }
  });
});

async function makesLink(visitor, user = 'alice') {
  await visitor.logIn(user);
  await visitor.isSignedInAs(user);
  await visitor.see('handoff-create').click();
  await visitor.see('handoff-offer').waitFor();
  return visitor.see('handoff-link').inputValue();
}
