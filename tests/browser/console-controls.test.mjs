// An administrator at the console's controls: page by page, everyone at once, what is sifted, saved, and given up halfway.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { Administrator } from './administrator.mjs';
import { siteWith } from './stories.mjs';

describe('the controls of the console', { timeout: 600_000, concurrency: 1 }, () => {
  const story = siteWith();

  story('an act that outlasts its dialog has no part in the next', async ({ come, site }) => {
    const [alice, bob] = [await logInElsewhere(site, 'alice'), await logInElsewhere(site, 'bob')];
    const admin = await come(Administrator);
    await admin.logIn();
    const slow = await admin.holdsBack('**/console/api/ends', (request) => request.postDataJSON().why === 'it takes long');
    await admin.sessionOf('alice').getByTestId('session-end').click();
    await admin.see('act-effect').filter({ hasText: /logged out there/ }).waitFor();
    await admin.see('act-why').fill('it takes long');
    await admin.see('act-submit').click();
    await slow.request;
    await admin.page.keyboard.press('Escape');
    const count = await admin.holdsBack('**/console/api/ends/preview', () => true);
    await admin.sessionOf('bob').getByTestId('session-end-user').click();
    await admin.see('act-why').fill('half a rea');
    await slow.comes();
    await admin.isTold('1 session has ended.');
    assert.equal(await alice('/session'), 401);
    assert.equal(await admin.see('act-submit').getAttribute('aria-disabled'), 'true', 'nobody knows yet whom it hits');
    await count.comes();
    await admin.page.getByRole('dialog', { name: 'End all sessions of bob?' }).waitFor();
    await admin.see('act-effect').filter({ hasText: /^This ends 1 session of 1 person\./ }).waitFor();
    assert.equal(await admin.see('act-why').inputValue(), 'half a rea');

    // What became of it is said, wherever the page is by then.
    const lost = await admin.holdsBack('**/console/api/ends', () => true);
    await admin.see('act-submit').click();
    await lost.request;
    await admin.see('act-cancel').click();
    await lost.isLost();
    await admin.isTold(/The server cannot be reached/);
    assert.equal(await bob('/session'), 200);
  });
});

/** A session without a page: returns what asks as it does, for the status of the answer. */
async function logInElsewhere({ origin }, user) {
  const headers = { 'content-type': 'application/json', origin };
  const answer = await fetch(`${origin}/login`, { method: 'POST', headers, body: JSON.stringify({ user, password: 'correct horse' }) });
  const cookie = answer.headers.getSetCookie().map((one) => one.split(';')[0]).join('; ');
  return async (path, method = 'GET') => (await fetch(origin + path, { method, headers: { origin, cookie } })).status;
}
