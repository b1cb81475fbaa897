// The back/forward cache: a page may be shown again as it was when it was left, and must not tell old tales.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { until } from './patience.mjs';
import { keepPagesForGoingBack, siteWith } from './stories.mjs';

keepPagesForGoingBack();

describe('a browser that keeps pages for going back', { timeout: 300_000 }, () => {
  const story = siteWith();

  story('a page that is shown again knows what happened meanwhile', async ({ open, site }) => {
    const tab = await open();
    await tab.logIn();
    const other = await tab.another();
    await tab.page.goto(`${site.origin}/healthz`);
    await other.page.evaluate(() => session.logout());
    await tab.page.goBack({ waitUntil: 'commit' });
    await until(() => tab.page.evaluate(() => location.pathname), '/bare');
    assert.equal(await tab.page.evaluate(() => typeof session), 'object', 'it was kept, not loaded anew');
    await tab.page.waitForFunction(() => ['ended', 'signed-out'].includes(session.current.get().status));
  });

  story('the page shows no dead session, however it is reached', async ({ arrive, site }) => {
    const alice = await arrive();
    await alice.logIn('alice');
    await alice.isSignedInAs('alice');
    const other = await alice.another();
    await alice.page.goto(`${site.origin}/healthz`);
    await other.logOut();
    await other.isSignedOut();
    await alice.goesBack();
    await alice.isSignedOut();
  });
});
