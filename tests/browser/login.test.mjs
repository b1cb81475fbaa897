// The example server's page in a real Chromium: what a person does, and what they must then see.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { siteWith } from './stories.mjs';

describe('the page', { timeout: 300_000 }, () => {
  const story = siteWith();

  story('a wrong password says so and asks again', async ({ arrive }) => {
    const alice = await arrive();
    await alice.isSignedOut();
    await alice.portrait('signed-out');
    await alice.logIn('alice', { password: 'wrong horse' });
    await alice.see('login-error').filter({ hasText: /\S/ }).waitFor();
    await alice.isSignedOut();
    assert.equal(await alice.see('login-password').getAttribute('aria-invalid'), 'true');
    await alice.portrait('login-refused');
  });

  story('a login shows the session, and keeps its tokens from scripts', async ({ arrive }) => {
    const alice = await arrive();
    await alice.logIn('alice');
    await alice.isSignedInAs('alice');
    await alice.portrait('signed-in');
    const [access, refresh] = await Promise.all(['__Host-session', '__Host-session-refresh'].map((name) => alice.cookie(name)));
    assert.deepEqual([access.httpOnly, access.secure, access.sameSite], [true, true, 'Lax']);
    assert.deepEqual([refresh.httpOnly, refresh.secure, refresh.sameSite], [true, true, 'Strict']);
    assert.equal(await alice.page.evaluate(() => document.cookie), '');
    assert.ok(refresh.expires > Date.now() / 1000 + 86_400, 'a remembered login outlives the browser');
  });

  story('a login that is not remembered ends with the browser', async ({ arrive }) => {
    const alice = await arrive();
    await alice.logIn('alice', { remember: false });
    await alice.isSignedInAs('alice');
    assert.equal((await alice.cookie('__Host-session-refresh')).expires, -1);
  });

  story('the cart survives a reload and can be cleared', async ({ arrive }) => {
    const alice = await arrive();
    await alice.logIn('alice');
    await alice.isSignedInAs('alice');
    await alice.addToCart('tea');
    await alice.hasInCart('tea');
    await alice.addToCart('a very long item name, without which no page was ever too wide: '.repeat(3).replaceAll(' ', '_'));
    await alice.see('cart-item').nth(1).waitFor();
    await alice.portrait('cart');
    await alice.page.reload();
    await alice.isSignedInAs('alice');
    await alice.see('cart-item').nth(1).waitFor();
    await alice.see('cart-clear').click();
    await alice.hasInCart();
    await alice.page.reload();
    await alice.isSignedInAs('alice');
    await alice.hasInCart();
  });

  story('what a visitor put into the cart is there after the login', async ({ arrive }) => {
    const carol = await arrive();
    await carol.isSignedOut();
    await carol.addToCart('a visitor\'s tea');
    await carol.hasInCart('a visitor\'s tea');
    await carol.page.reload();
    await carol.isSignedOut();
    await carol.hasInCart('a visitor\'s tea');
    await carol.logIn('carol');
    await carol.isSignedInAs('carol');
    await carol.hasInCart('a visitor\'s tea');
    await carol.logOut();
    await carol.isSignedOut();
    await carol.hasInCart();
  });

  story('a device that is ended from another says so', async ({ arrive }) => {
    const [desk, phone] = [await arrive(), await arrive()];
    for (const bob of [desk, phone]) {
      await bob.logIn('bob');
      await bob.isSignedInAs('bob');
    }
    await desk.page.reload();
    await desk.seesDevices(2);
    await desk.portrait('devices');
    await desk.endTheOtherDevice();
    await desk.seesDevices(1);
    await desk.isSignedInAs('bob');

    await phone.addToCart('tea');
    await phone.isSignedOut();
    await phone.reads(/you ended this session/i);
    await phone.portrait('ended-elsewhere');
    await phone.page.reload();
    await phone.isSignedOut();
  });

  story('a crash of the server loses neither session nor cart', async ({ arrive, site }) => {
    const carol = await arrive();
    await carol.logIn('carol');
    await carol.isSignedInAs('carol');
    await carol.addToCart('tea');
    await carol.hasInCart('tea');
    await site.server.crash();
    await site.server.startAgain();
    await carol.page.reload();
    await carol.isSignedInAs('carol');
    await carol.hasInCart('tea');
  });

  story('a logout is for good: after reload, back, and a crash', async ({ arrive, site }) => {
    const alice = await arrive();
    await alice.logIn('alice');
    await alice.isSignedInAs('alice');
    const kept = await alice.page.context().cookies();
    await alice.page.goto(`${site.origin}/healthz`);
    await alice.page.goto(site.origin);
    await alice.isSignedInAs('alice');
    await alice.logOut();
    await alice.isSignedOut();
    await alice.portrait('logged-out');
    await alice.page.reload();
    await alice.isSignedOut();
    await alice.page.goBack();
    await alice.page.goBack();
    await alice.isSignedOut();

    await alice.page.context().addCookies(kept);
    await alice.page.reload();
    await alice.isSignedOut();
    await site.server.crash();
    await site.server.startAgain();
    await alice.page.context().addCookies(kept);
    await alice.page.reload();
    await alice.isSignedOut();
  });
});
