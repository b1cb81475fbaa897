// An administrator at the console's controls: page by page, everyone at once, what is sifted, saved, and given up halfway.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { Administrator } from './administrator.mjs';
import { until } from './patience.mjs';
import { siteWith } from './stories.mjs';

describe('the controls of the console', { timeout: 600_000, concurrency: 1 }, () => {
  const story = siteWith();

  story('more sessions than a page shows are seen, and all of a person and everyone are ended', async ({ arrive, come, site }) => {
    const idlest = await logInElsewhere(site, 'alice');
    const others = await Promise.all(Array.from({ length: 50 }, () => logInElsewhere(site, 'alice')));
    const bob = await arrive();
    await bob.logIn('bob');
    await bob.isSignedInAs('bob');
    const admin = await come(Administrator);
    await admin.logIn();
    await admin.see('filter-order').selectOption('least-recent');
    await until(() => admin.see('sessions-shown').innerText(), '50 of 53 shown');
    assert.equal(await admin.see('session').count(), 50);
    // Who was on the first page, and is active before the next is loaded, is on that, too.
    const next = await admin.holdsBack('**/console/api/sessions?*', (request) => request.url().includes('after='));
    await admin.see('more').click();
    await next.request;
    assert.equal(await idlest('/session/refresh', 'POST'), 200);
    await next.comes();
    await until(() => admin.see('sessions-shown').innerText(), '53 of 53 shown');
    assert.equal(await admin.see('session').count(), 53);
    assert.equal(await admin.see('more').isVisible(), false);
    await admin.see('select-all').check();
    assert.equal(await admin.see('selection-count').innerText(), '53 sessions are selected.');
    await admin.see('select-all').uncheck();

    await admin.see('filter-tenant').fill('acme');
    await admin.see('filter-submit').click();
    await admin.see('sessions-empty').filter({ hasText: 'Nobody' }).waitFor();
    await admin.seesPeople();
    await admin.see('filter-tenant').fill('');
    await admin.see('filter-submit').click();
    await admin.sessionOf('alice').first().getByTestId('session-end-user').click();
    assert.match(await admin.goesThrough('a shared password'), /^This ends 51 sessions of 1 person\. 51 seats fall free\.$/);
    await admin.isTold('51 sessions have ended.');
    for (const one of [idlest, ...others]) assert.equal(await one('/session'), 401);
    await admin.seesPeople('bob', 'admin');
    await bob.isSignedInAs('bob');

    await admin.see('end-everyone').click();
    assert.match(await admin.goesThrough('the door closes'), /^This ends 2 sessions of 2 people\..* You are one of them: you will be logged out\.$/);
    await admin.see('login-form').waitFor();
    await admin.isTold('You are logged out.');
    assert.equal(await admin.see('session').count(), 0);
    await bob.reads(/An administrator ended this session/);
    await admin.logIn();
    await admin.seesPeople('admin');
    await admin.views('Audit');
    await admin.see('audit-record').filter({ hasText: /admin ends everyone\s*done: 2 sessions[\s\S]*the door closes/ }).waitFor();
    await admin.see('audit-record').filter({ hasText: /admin ends all sessions of alice\s*done: 51 sessions/ }).waitFor();
  });

  story('what happens is sifted, and what was counted is saved', async ({ come, site }) => {
    const admin = await come(Administrator);
    await admin.logIn();
    await admin.views('Live');
    await admin.page.getByText('listening').waitFor();
    const alice = await logInElsewhere(site, 'alice');
    const bob = await logInElsewhere(site, 'bob');
    await admin.seesHappenings('Login bob', 'Login alice');
    await admin.see('live-subject').fill('bob');
    await admin.seesHappenings('Login bob');
    assert.equal(await bob('/session/logout', 'POST'), 204);
    await admin.seesHappenings('End bob', 'Login bob');
    await admin.page.getByLabel('Login', { exact: true }).uncheck();
    await admin.seesHappenings('End bob');
    await admin.see('live-subject').fill('carol');
    await admin.seesHappenings();
    await admin.see('live-empty').waitFor();
    await admin.see('live-subject').fill('');
    assert.equal(await alice('/session/refresh', 'POST'), 200);
    await admin.page.getByLabel('Refresh', { exact: true }).check();
    await admin.seesHappenings('Refresh alice', 'End bob');

    await admin.views('Over time');
    const points = async () => (await admin.see('chart-seats').locator('polyline').first().getAttribute('points')).split(' ').length;
    await until(points, 60);
    const day = await admin.holdsBack('**/console/api/statistics?span=day', () => true);
    await admin.see('span').selectOption('day');
    await day.request;
    await admin.see('span').selectOption('month');
    await until(points, 744);
    await day.comes();
    assert.equal(await points(), 744, 'what was asked for last');
    await admin.see('span').selectOption('day');
    await until(points, 288);
    await admin.see('peak').first().waitFor();
    assert.match(await admin.see('peak').first().innerText(), /^\d{4}-\d\d-\d\d\t/);
    await admin.see('peaks-by').selectOption('month');
    await admin.see('peak').first().filter({ hasText: /^\d{4}-\d\d(?!-)/ }).waitFor();
    const table = await admin.saves(admin.see('peaks-csv'));
    assert.equal(table.name, 'peaks.csv');
    assert.match(table.text, /^from,seats,sessions,at\n(\d{4}-\d\d,\d+,\d+,\d+\n)+$/);
    const marks = await admin.saves(admin.see('peaks-json'));
    const { by, peaks } = JSON.parse(marks.text);
    assert.deepEqual([marks.name, by, peaks.length], ['peaks.json', 'month', await admin.see('peak').count()]);

    await admin.views('Sessions');
    await admin.sessionOf('alice').getByTestId('session-end').click();
    await admin.goesThrough('the last of today');
    await admin.views('Audit');
    await admin.see('audit-record').filter({ hasText: /done: 1 session[\s\S]*the last of today/ }).waitFor();
    const audit = await admin.saves(admin.see('audit-export'));
    const records = audit.text.trim().split('\n').map((line) => JSON.parse(line));
    assert.equal(audit.name, 'audit.jsonl');
    assert.equal(records.length, await admin.see('audit-record').count());
    assert.deepEqual(records.slice(-2).map(({ stage, why }) => [stage, why]), [['begins', 'the last of today'], ['done', 'the last of today']]);
  });

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
