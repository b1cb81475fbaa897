// An administrator at the console, in the page's own words: each method is something they do or see.

import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAccessible } from './accessible.mjs';
import { PATIENCE_MS, until } from './patience.mjs';
import { audit, witness } from './witness.mjs';

const SCREENSHOTS = process.env.COUNTERSIGN_SCREENSHOTS ?? join(import.meta.dirname, '../../target/screenshots');
const PHONE = { width: 360, height: 740 };
const DESKTOP = { width: 1280, height: 800 };
/** The narrowest that has a table with columns. */
const TABLET = { width: 880, height: 800 };

export class Administrator {
  #site;
  #context;
  page;
  complaints;

  static async arrive(browser, site, { profile = {}, path = '/console/' } = {}) {
    const administrator = new Administrator();
    administrator.#site = site;
    administrator.#context = await browser.newContext({ viewport: DESKTOP, reducedMotion: 'reduce', ...profile });
    administrator.complaints = await witness(administrator.#context);
    administrator.page = await administrator.#context.newPage();
    administrator.page.setDefaultTimeout(PATIENCE_MS);
    await administrator.page.goto(site.origin + path);
    return administrator;
  }

  async leave() {
    await audit(this.page);
    await this.#context.close();
    assert.deepEqual(this.complaints, []);
  }

  async leaveEvidence(name) {
    const file = `failed-${name.replaceAll(/[^a-z]+/gi, '-')}-${performance.now().toFixed()}`;
    await this.#picture(file);
    console.error(`see ${file}.png; the page's complaints: ${JSON.stringify(this.complaints)}`);
    await this.#context.close();
  }

  see(hook) {
    return this.page.getByTestId(hook);
  }

  async logIn(user = 'admin') {
    await this.see('login-user').fill(user);
    await this.see('login-password').fill('correct horse');
    await this.see('login-submit').click();
    await this.see('you').filter({ hasText: user }).waitFor();
  }

  async views(name) {
    await this.page.getByRole('link', { name }).click();
  }

  /** Waits until the table shows exactly these people, in this order. */
  async seesPeople(...people) {
    await until(() => this.people(), people, 'people');
  }

  /** Who is in the table at this moment. */
  people() {
    return this.see('session').locator('td[data-label=User] strong').allInnerTexts();
  }

  async isTold(words) {
    await this.see('notice').filter({ hasText: words }).waitFor();
  }

  async seesFigure(hook, value) {
    await until(async () => (await this.see(hook).innerText()).trim(), `${value}`, hook);
  }

  /** Goes through with the act whose dialog is open, and returns what it said it would do. */
  async goesThrough(why = 'a story') {
    await this.see('act').waitFor();
    await this.see('act-effect').filter({ hasText: /\w.*\./ }).filter({ hasNotText: 'One moment' }).waitFor();
    const effect = await this.see('act-effect').innerText();
    await this.see('act-why').fill(why);
    await this.see('act-submit').click();
    await this.see('act').waitFor({ state: 'hidden' });
    return effect;
  }

  /**
   * Holds the next request back that `isIt`: `request` is that one; `comes` lets it go until the page has its answer, and
   * `isLost` until the page knows that there is none.
   */
  async holdsBack(path, isIt) {
    const [held, free] = [withResolvers(), withResolvers()];
    held.promise.catch(() => {}); // Whoever waits for it is told.
    const tooLong = setTimeout(() => held.reject(new Error(`nothing to hold back at ${path}`)), PATIENCE_MS);
    let isFirst = true;
    await this.page.route(path, async (route) => {
      if (!isFirst || !isIt(route.request())) return route.continue();
      isFirst = false;
      clearTimeout(tooLong);
      held.resolve(route.request());
      return await free.promise === 'requestfinished' ? route.continue() : route.abort();
    });
    const ends = async (how) => {
      const request = await held.promise;
      const ended = this.page.waitForEvent(how, (one) => one === request);
      free.resolve(how);
      await ended;
      await this.page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve)); }));
    };
    return { request: held.promise, comes: () => ends('requestfinished'), isLost: () => ends('requestfailed') };
  }

  /** Presses what saves a file, and returns its name and what is in it. */
  async saves(button) {
    const [file] = await Promise.all([this.page.waitForEvent('download'), button.click()]);
    return { name: file.suggestedFilename(), text: await readFile(await file.path(), 'utf8') };
  }

  /** Waits until the live log shows exactly these, the newest first: each what it is and whose. */
  async seesHappenings(...happenings) {
    const shown = this.see('live-event').filter({ visible: true });
    await until(() => shown.evaluateAll((all) => all.map((one) => `${one.children[1].textContent} ${one.children[2].textContent}`)), happenings, 'happenings');
  }

  sessionOf(person) {
    return this.see('session').filter({ has: this.page.getByText(person, { exact: true }) });
  }

  /** Pictures at both sizes, light and dark. Nothing sticks out sideways, and nobody is left out. */
  async portrait(name) {
    for (const [size, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
      for (const scheme of ['light', 'dark']) {
        await this.page.setViewportSize(viewport);
        await this.page.emulateMedia({ colorScheme: scheme });
        const overhang = await this.page.evaluate(widestOverhang);
        assert.equal(overhang, 0, `${name} at ${viewport.width} px is ${overhang} px too wide`);
        // Colours matter to both schemes, the rest to both sizes.
        if ((size === 'phone') === (scheme === 'light')) await isAccessible(this.page, `${name}, ${size}, ${scheme}`);
        const height = await this.page.evaluate(() => document.documentElement.scrollHeight);
        await this.page.setViewportSize({ ...viewport, height: Math.max(height, viewport.height) });
        await this.#picture(`console-${name}-${size}-${scheme}`);
      }
    }
    await this.page.emulateMedia({ colorScheme: 'light' });
    await this.page.setViewportSize(DESKTOP);
  }

  /** Nothing is cut off between the two sizes, either. */
  async fitsATablet() {
    await this.page.setViewportSize(TABLET);
    assert.equal(await this.page.evaluate(widestOverhang), 0, `too wide for ${TABLET.width} px`);
    await this.page.setViewportSize(DESKTOP);
  }

  async #picture(name) {
    await mkdir(SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true, animations: 'disabled' });
  }
}

function withResolvers() {
  let [resolve, reject] = [];
  const promise = new Promise((...settle) => { [resolve, reject] = settle; });
  return { promise, resolve, reject };
}

/** Runs in the page: how far the page can be scrolled sideways, or a card cuts off what is in it. */
function widestOverhang() {
  const { scrollWidth, clientWidth } = document.documentElement;
  const cut = [...document.querySelectorAll('.card')].map((card) => card.scrollWidth - card.clientWidth);
  return Math.max(scrollWidth - clientWidth, document.body.scrollWidth - clientWidth, ...cut);
}
