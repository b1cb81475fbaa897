// An administrator at work: who is here, ending them, limits, charts, what happens, keys, the audit.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe } from 'node:test';
import { Administrator } from './administrator.mjs';
import { until } from './patience.mjs';
import { siteWith } from './stories.mjs';

const WITHIN_MS = 2000;
const MARKUP = '<img src=x onerror="document.title=1"><b>bold</b>';

describe('the console', { timeout: 600_000, concurrency: 2 }, () => {
  describe('on a quiet site', { concurrency: 1 }, () => {
    const story = siteWith();

    story('three people are seen, filtered, and one is ended', async ({ arrive, come }) => {
      const [alice, bob, carol] = [await arrive(), await arrive(), await arrive()];
      for (const [one, name] of [[alice, 'alice'], [bob, 'bob']]) {
        await one.logIn(name);
        await one.isSignedInAs(name);
      }
      const admin = await come(Administrator);
      await admin.see('login-form').waitFor();
      await admin.portrait('login');
      await admin.logIn();
      await admin.see('filter-order').selectOption('oldest');
      await admin.seesPeople('alice', 'bob', 'admin');
      await admin.portrait('sessions');
      // What somebody is typing is not asked for yet, and a look of the page's own that is overtaken comes too late.
      const look = await admin.holdsBack('**/console/api/sessions?*', (request) => 'session-passive' in request.headers());
      await admin.see('filter-subject').fill('bo');
      await carol.logIn('carol');
      await carol.isSignedInAs('carol');
      assert.equal(new URL((await look.request).url()).searchParams.get('subject'), null);
      await admin.see('filter-subject').fill('bob');
      await admin.see('filter-submit').click();
      await admin.seesPeople('bob');
      await look.comes();
      assert.deepEqual(await admin.people(), ['bob'], 'what was asked for last');
      await admin.seesFigure('sessions-count', 4);
      await admin.sessionOf('bob').getByTestId('session-end').click();
      await admin.see('act-effect').filter({ hasText: /logged out there/ }).waitFor();
      await admin.portrait('end-one');
      const effect = await admin.goesThrough('he asked for it');
      const since = Date.now();
      assert.match(effect, /On .*They will be logged out there/);
      await bob.reads(/An administrator ended this session/);
      const took = Date.now() - since;
      assert.ok(took < WITHIN_MS, `bob heard of it after ${took} ms`);
      await admin.seesPeople();
      await alice.isSignedInAs('alice');

      await admin.see('filter-subject').fill('');
      await admin.see('filter-submit').click();
      await admin.seesPeople('alice', 'admin', 'carol');
      await admin.sessionOf('alice').getByTestId('session-select').check();
      await admin.sessionOf('carol').getByTestId('session-select').check();
      await admin.see('end-selected').click();
      assert.match(await admin.goesThrough(), /ends 2 sessions of 2 people/);
      await carol.isSignedOut();

      await admin.views('Audit');
      await until(() => admin.see('audit-record').count(), 4);
      assert.match(await admin.see('audit-record').last().innerText(), /admin ends 1 session[\s\S]*he asked for it/);
      await admin.portrait('audit');
    });

    story('what is stored about a person is saved, and they are erased', async ({ arrive, come }) => {
      const [alice, bob] = [await arrive(), await arrive()];
      for (const [one, name] of [[alice, 'alice'], [bob, 'bob']]) {
        await one.logIn(name);
        await one.isSignedInAs(name);
      }
      const admin = await come(Administrator);
      await admin.logIn();
      await admin.sessionOf('bob').waitFor();
      await admin.fitsATablet();
      await admin.sessionOf('bob').getByTestId('session-export').click();
      await admin.portrait('export');
      const saved = admin.page.waitForEvent('download');
      assert.match(await admin.goesThrough('he asked what we have'), /everything that the server keeps.*Nobody is logged out/);
      const file = await saved;
      assert.equal(file.suggestedFilename(), 'export-bob.json');
      const text = await readFile(await file.path(), 'utf8');
      const stored = JSON.parse(text);
      assert.deepEqual([stored.subject, stored.sessions.length, stored.sessions[0].device], ['bob', 1, 'Chrome on Linux']);
      assert.deepEqual(stored.console.records.map(({ what, why }) => [what, why]), [['export-subject', 'he asked what we have']]);
      assert.ok(!text.includes('alice'), 'of nobody else');
      await bob.isSignedInAs('bob');

      await admin.sessionOf('bob').getByTestId('session-erase').click();
      await admin.see('act-effect').filter({ hasText: /ends 1 session of 1 person/ }).waitFor();
      await admin.portrait('erase');
      assert.match(await admin.goesThrough('he is leaving'), /for good\. The audit keeps their name/);
      await admin.see('left').filter({ hasText: 'What remains of bob' }).waitFor();
      await until(() => admin.see('left-one').count(), 8);
      assert.match(await admin.see('left-one').first().innerText(), /^Until \d.*\. Subject and tenant/);
      await admin.portrait('erased');
      await admin.see('left-close').click();
      await bob.reads(/An administrator ended this session/);
      await admin.sessionOf('bob').waitFor({ state: 'detached' });
      await alice.isSignedInAs('alice');
      await admin.views('Audit');
      await admin.see('audit-record').filter({ hasText: /admin erases bob\s*done: 1 session[\s\S]*he is leaving/ }).waitFor();
      await admin.see('audit-record').filter({ hasText: /admin exports what is stored about bob\s*done/ }).waitFor();
    });

    story('who is no administrator sees nothing', async ({ come }) => {
      const alice = await come(Administrator);
      await alice.logIn('alice');
      await alice.see('no-right').waitFor();
      assert.equal(await alice.see('session').count(), 0);
      assert.equal(await alice.see('filter').isVisible(), false);
      await alice.portrait('no-right');
    });

  });

  describe('where seats are few', { concurrency: 1 }, () => {
    const story = siteWith();

    story('a limit is reached, and who is turned away appears', async ({ arrive, come }) => {
      const admin = await come(Administrator);
      await admin.logIn();
      await admin.views('Seats');
      await admin.see('limit-site-on').check();
      await admin.see('limit-site-seats').fill('1');
      await admin.see('limit-site-rule').selectOption('end-oldest');
      await admin.see('limits-preview').click();
      await admin.see('act-effect').filter({ hasText: /a newcomer is let in, and the oldest session ends/ }).waitFor();
      await admin.see('act-cancel').click();
      await admin.see('limit-site-rule').selectOption('refuse');
      await admin.see('limits-preview').click();
      await admin.see('act-effect').filter({ hasText: /No seat is free/ }).waitFor();
      await admin.see('act-cancel').click();
      await admin.see('limit-user-on').check();
      await admin.see('limit-user-seats').fill('40');
      await admin.see('limits-preview').click();
      await admin.see('act-effect').filter({ hasText: /Each user: 40 seats. Nobody uses that many/ }).waitFor();
      await admin.portrait('limits');
      await admin.goesThrough('the machine is small');
      await admin.seesFigure('seats', 1);
      await admin.see('gauge-user').filter({ hasText: /The busiest\s*1 of 40\s*Nobody of 1 person is at the limit/ }).waitFor();
      await admin.portrait('seats');
      const dave = await arrive();
      await dave.logIn('alice');
      await dave.reads(/There is already 1 active user session/);
      await admin.seesFigure('refused', 1);
      await admin.views('Live');
      await admin.see('live-event').filter({ hasText: /Turned away\s*alice/ }).first().waitFor();
      await admin.portrait('live');
      await admin.views('Over time');
      await admin.see('chart-seats').waitFor();
      await until(() => admin.see('chart').count(), 5);
      await until(async () => (await admin.see('chart').first().locator('rect').count()) > 0);
      const curve = await admin.see('chart-seats').locator('polyline').first().getAttribute('points');
      assert.equal(curve.split(' ').length, 60, 'a point for each minute of an hour');
      await admin.see('peak').first().waitFor();
      await admin.portrait('over-time');
    });

  });

  describe('with something odd', { concurrency: 1 }, () => {
    const story = siteWith();

    story('keys, and what is unusual', async ({ come, site }) => {
      const admin = await come(Administrator);
      await admin.logIn();
      await Promise.all(Array.from({ length: 70 }, () => fetch(`${site.origin}/api/me`, { headers: { cookie: '__Host-session=a.b.c' } })));
      await admin.views(/Unusual/);
      await admin.see('unusual').filter({ hasText: /Forged tokens/ }).waitFor();
      await admin.portrait('unusual');
      await admin.views('Keys');
      await until(() => admin.see('key').count(), 1);
      await admin.see('key-rotate').click();
      assert.match(await admin.goesThrough('monthly'), /Nobody is logged out/);
      await until(() => admin.see('key').count(), 2);
      await admin.portrait('keys');
      await admin.see('key').filter({ hasText: 'retiring' }).getByTestId('key-remove').click();
      assert.match(await admin.goesThrough('it leaked'), /refused at once/);
      await admin.see('key-removed').or(admin.see('login-form')).first().waitFor();
    });
  });

  describe('where logins grow old quickly', { concurrency: 1 }, () => {
    const story = siteWith('--fresh-for', '4s');

    story('the administrator proves once more who they are', async ({ come }) => {
      const admin = await come(Administrator);
      await admin.logIn();
      await admin.seesPeople('admin');
      await admin.see('prove').waitFor();
      await admin.portrait('prove');
      await admin.page.keyboard.press('Escape');
      await admin.see('paused').waitFor();
      await admin.portrait('paused');
      await admin.views('Audit');
      await admin.see('audit-export').click();
      await admin.isTold(/your password was not given/);
      await admin.views('Sessions');
      await admin.see('go-on').click();
      await admin.see('prove-password').fill('correct horse');
      await admin.see('prove-submit').click();
      await admin.see('paused').waitFor({ state: 'hidden' });
      await admin.seesPeople('admin');
    });
  });

  describe('where sessions soon dangle', { concurrency: 1 }, () => {
    const story = siteWith('--access-ttl', '2s', '--dangling-after', '3s');

    story('dangling sessions are told apart, and ended', async ({ come, open }) => {
      const alice = await open();
      await alice.logIn('alice');
      await alice.page.close();
      const admin = await come(Administrator);
      await admin.logIn();
      // A page that only looks is no activity: so short a time would let the administrator dangle, too.
      await admin.page.evaluate(() => void setInterval(() => fetch('/session/refresh', { method: 'POST' }), 1000));
      await admin.sessionOf('alice').filter({ hasText: 'dangling' }).waitFor();
      await admin.seesFigure('dangling', 1);
      await admin.see('filter-holding').selectOption('nothing');
      await admin.seesPeople('alice');
      await admin.portrait('dangling');
      const ofAnyTime = await admin.holdsBack('**/console/api/ends/preview', (request) => request.postDataJSON().target.dangling.inactive_for === 0);
      await admin.see('end-dangling').click();
      await ofAnyTime.request;
      assert.equal(await admin.see('act-submit').getAttribute('aria-disabled'), 'true', 'nobody knows yet whom it hits');
      await admin.page.getByRole('dialog').getByLabel('Not active for').selectOption('a day');
      await admin.see('act-effect').filter({ hasText: 'This hits nobody now.' }).waitFor();
      await ofAnyTime.comes();
      assert.equal(await admin.see('act-effect').innerText(), 'This hits nobody now.', 'the count of the last choice');
      await admin.page.getByRole('dialog').getByLabel('Not active for').selectOption('any time');
      await admin.see('act-effect').filter({ hasText: /ends 1 session of 1 person/ }).waitFor();
      await admin.goesThrough('the night is over');
      await admin.seesPeople();
      await admin.views('Audit');
      await admin.see('audit-record').filter({ hasText: /admin ends sessions that dangle\s*done: 1 session/ }).waitFor();
    });
  });

  describe('with text from people', { concurrency: 1 }, () => {
    const story = siteWith();

    story('markup is shown as text', async ({ arrive, come, site }) => {
      const alice = await arrive();
      await alice.logIn('alice');
      await alice.isSignedInAs('alice');
      const admin = await come(Administrator, { profile: {}, path: '/healthz' });
      // No name of the example has markup in it: the answers are given some on their way.
      await admin.page.route('**/console/api/sessions*', async (route) => {
        const answer = await route.fetch();
        const body = await answer.json();
        if (!body.sessions) return route.fulfill({ response: answer });
        for (const one of body.sessions) Object.assign(one, { subject: `${one.subject}${MARKUP}`, tenant: MARKUP, device: MARKUP });
        return route.fulfill({ response: answer, json: body });
      });
      await admin.page.goto(`${site.origin}/console/`);
      await admin.logIn();
      await until(async () => (await admin.see('session').first().innerText()).includes('<b>bold</b>'), true, 'markup');
      assert.equal(await admin.page.locator('tbody img, tbody b').count(), 0);
      await admin.sessionOf(`alice${MARKUP}`).getByTestId('session-end').click();
      await admin.page.getByRole('heading', { name: `End the session of alice${MARKUP}` }).waitFor();
      assert.equal(await admin.page.locator('dialog img, dialog b').count(), 0);
      assert.equal(await admin.page.title(), 'Console · Countersign');
      await admin.portrait('markup');
    });
  });
});
