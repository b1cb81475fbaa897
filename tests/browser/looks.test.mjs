// What the page looks like in states that the other stories do not come by, and that it needs no mouse.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { until } from './patience.mjs';
import { siteWith } from './stories.mjs';

describe('the page, seen', { timeout: 300_000, concurrency: 3 }, () => {
  describe('with a session', { concurrency: 1 }, () => {
    const story = siteWith('--fresh-for', '2s');

    story('offline and back, nothing is lost', async ({ arrive }) => {
      const alice = await arrive();
      await alice.logIn('alice');
      await alice.isSignedInAs('alice');
      await alice.page.context().setOffline(true);
      await alice.see('offline').waitFor();
      await alice.isSignedInAs('alice');
      await alice.portrait('offline');
      await alice.page.context().setOffline(false);
      await alice.see('offline').waitFor({ state: 'hidden' });
      await alice.isSignedInAs('alice');
    });

    story('who must prove once more who they are', async ({ arrive }) => {
      const alice = await arrive();
      await alice.logIn('alice');
      await alice.isSignedInAs('alice');
      await alice.loginGrowsOld(2);
      await alice.see('handoff-create').click();
      await alice.see('confirm').waitFor();
      await alice.portrait('confirm');
      await alice.proveWhoTheyAre('wrong horse');
      await alice.see('confirm-error').filter({ hasText: /\S/ }).waitFor();
      await alice.portrait('confirm-refused');
      await alice.proveWhoTheyAre();
      await alice.see('handoff-offer').waitFor();
    });

    story('another password ends all other sessions, and this one goes on', async ({ arrive }) => {
      const [desk, phone] = [await arrive(), await arrive()];
      for (const device of [desk, phone]) {
        await device.logIn('bob');
        await device.isSignedInAs('bob');
      }
      await desk.see('password-old').fill('wrong horse');
      await desk.see('password-new').fill('better horse');
      await desk.see('password-submit').click();
      await desk.see('password-error').filter({ hasText: /\S/ }).waitFor();
      await desk.portrait('password-refused');
      await desk.see('password-old').fill('correct horse');
      await desk.see('password-submit').click();
      await desk.reads(/your password is changed/i);
      await desk.isSignedInAs('bob');
      await phone.isSignedOut();
    });

    story('a full cart', async ({ arrive }) => {
      const carol = await arrive();
      await carol.logIn('carol');
      await carol.isSignedInAs('carol');
      await carol.addToCart('x'.repeat(5000));
      await carol.see('cart-error').filter({ hasText: /full/ }).waitFor();
      await carol.portrait('cart-full');
      await carol.see('cart-input').fill('coupon');
      await carol.see('cart-add-exclusive').click();
      await carol.hasInCart('coupon');
    });
  });

  describe('without a mouse', { concurrency: 1 }, () => {
    const story = siteWith();

    story('a session from login to logout', async ({ arrive }) => {
      const alice = await arrive();
      const { keyboard } = alice.page;
      await alice.isSignedOut();
      await tabsTo(alice, 'login-user');
      await keyboard.type('alice');
      await keyboard.press('Tab');
      await keyboard.type('correct horse');
      await keyboard.press('Enter');
      await alice.isSignedInAs('alice');
      await tabsTo(alice, 'cart-input');
      await keyboard.type('tea');
      await keyboard.press('Enter');
      await alice.hasInCart('tea');
      await tabsTo(alice, 'handoff-create');
      await keyboard.press('Enter');
      await alice.see('handoff-offer').waitFor();
      await alice.see('handoff-qr').waitFor();
      await tabsTo(alice, 'handoff-link');
      assert.match(await alice.page.evaluate(() => getSelection().toString()), /#handoff=/);
      await tabsTo(alice, 'logout');
      await keyboard.press('Enter');
      await alice.isSignedOut();
      await until(() => alice.page.evaluate(() => document.activeElement?.dataset.testid), 'login-user', 'focus');
    });
  });

  describe('where its transport is none for pages', { concurrency: 1 }, () => {
    const story = siteWith('--transport', 'body');

    story('it says so', async ({ arrive }) => {
      const anyone = await arrive();
      await anyone.see('no-page').waitFor();
      assert.equal(await anyone.see('login-form').isVisible(), false);
      await anyone.portrait('no-page');
    });
  });

  describe('where the site is full', { concurrency: 1 }, () => {
    const story = siteWith('--site-limit', '1', '--access-ttl', '2s', '--dangling-after', '2s');

    story('who comes back from a long break waits for a seat, and keeps the session', async ({ arrive }) => {
      const [alice, bob] = [await arrive(), await arrive()];
      await alice.logIn('alice');
      await alice.isSignedInAs('alice');
      // Her page stays open: that alone keeps no seat.
      await until(async () => {
        await bob.logIn('bob');
        await bob.see('session').or(bob.see('login-error').filter({ hasText: /\S/ })).first().waitFor();
        return bob.see('session').isVisible();
      });
      await alice.addToCart('tea');
      await alice.see('offline').filter({ hasText: /already 1 active/ }).waitFor();
      await alice.isSignedInAs('alice');
      await alice.portrait('no-seat');
      await bob.logOut();
      await bob.isSignedOut();
      await alice.see('offline').waitFor({ state: 'hidden' });
      await alice.isSignedInAs('alice');
    });
  });

  describe('where the server cannot be reached', { concurrency: 1 }, () => {
    const story = siteWith();

    story('it says so and goes on by itself', async ({ arrive, site }) => {
      const alice = await arrive();
      await alice.isSignedOut();
      await site.weather.gone();
      await alice.logIn('alice');
      await alice.see('login-error').filter({ hasText: /cannot be reached/ }).waitFor();
      await alice.portrait('no-server');
      await site.weather.clear();
      await alice.logIn('alice');
      await alice.isSignedInAs('alice');
    });
  });
});

/** Presses Tab until this has the focus. */
async function tabsTo(visitor, hook) {
  const seen = [];
  for (let presses = 0; presses < 60; presses += 1) {
    const focused = await visitor.page.evaluate(() => document.activeElement?.dataset.testid ?? '');
    if (focused === hook) return;
    seen.push(focused);
    await visitor.page.keyboard.press('Tab');
  }
  assert.fail(`no ${hook} among ${seen.filter(Boolean)}`);
}
