// One person at one browser, in the page's own words: each method is something a person does or sees.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isAccessible } from './accessible.mjs';
import { PATIENCE_MS, until } from './patience.mjs';
import { audit, witness } from './witness.mjs';

const SCREENSHOTS = process.env.COUNTERSIGN_SCREENSHOTS ?? join(import.meta.dirname, '../../target/screenshots');
const PHONE = { width: 360, height: 740 };
const DESKTOP = { width: 1280, height: 800 };

export class Visitor {
  #site;
  #context;
  page;
  /** What the page did wrong, in the browser's own words. */
  complaints;

  static async arrive(browser, site, { profile = {}, prepare } = {}) {
    const context = await browser.newContext({ viewport: DESKTOP, reducedMotion: 'reduce', ...profile });
    await prepare?.(context);
    const complaints = await witness(context);
    return Visitor.#open(context, site, complaints);
  }

  /** The same person at another tab of the same browser. */
  another(path) {
    return Visitor.#open(this.#context, this.#site, this.complaints, path);
  }

  static async #open(context, site, complaints, path = '/') {
    const visitor = new Visitor();
    Object.assign(visitor, { complaints });
    visitor.#site = site;
    visitor.#context = context;
    visitor.page = await context.newPage();
    visitor.page.setDefaultTimeout(PATIENCE_MS);
    await visitor.page.goto(site.origin + path);
    return visitor;
  }

  /** Leaves, and says whether the page ever misbehaved. */
  async leave() {
    for (const page of this.#context.pages()) {
      if (page.url().startsWith(this.#site.origin)) await audit(page);
    }
    await this.#context.close();
    assert.deepEqual(this.complaints, []);
  }

  /** After a failure: what the page looked like, and what the browser had to say about it. */
  async leaveEvidence(name) {
    const file = `failed-${name.replaceAll(/[^a-z]+/gi, '-')}-${performance.now().toFixed()}`;
    await picture(this.page, file);
    console.error(`see ${file}.png; the page's complaints: ${JSON.stringify(this.complaints)}`);
    await this.#context.close();
  }

  see(hook) {
    return this.page.getByTestId(hook);
  }

  async logIn(user, { password = 'correct horse', remember = true } = {}) {
    await this.see('login-user').fill(user);
    await this.see('login-password').fill(password);
    await this.see('login-remember').setChecked(remember);
    await this.see('login-submit').click();
  }

  async logOut() {
    await this.see('logout').click();
  }

  async addToCart(item) {
    await this.see('cart-input').fill(item);
    await this.see('cart-add').click();
  }

  async isSignedInAs(subject) {
    await this.see('session').waitFor();
    await this.see('session-subject').filter({ hasText: subject }).waitFor();
    assert.equal(await this.see('login-form').isVisible(), false);
  }

  async isSignedOut() {
    await this.see('login-form').waitFor();
    assert.equal(await this.see('session').isVisible(), false);
  }

  /** Waits until the cart holds exactly these, in this order. */
  async hasInCart(...items) {
    // The version comes with the items: without it, an empty list is one that was not loaded yet.
    await this.see('cart-version').filter({ hasText: /\d/ }).waitFor();
    await until(async () => {
      const shown = await this.see('cart-item').allInnerTexts();
      return shown.map((text) => text.trim());
    }, items, 'cart');
  }

  /** Nobody is logged in in this browser, whatever the page shows. */
  async isNobody() {
    assert.equal(await this.cookie('__Host-session'), undefined);
    assert.equal(await this.cookie('__Host-session-refresh'), undefined);
  }

  /** Follows a link, as from a message. (A page that is open already is left: it might only see another fragment.) */
  async opens(link) {
    await this.page.goto('about:blank');
    await this.page.goto(link);
  }

  /** The browser may show the page as it was left: then nothing is loaded. */
  async goesBack() {
    await this.page.goBack({ waitUntil: 'commit' });
  }

  async seesDevices(count) {
    await until(() => this.see('device').count(), count, 'devices');
  }

  /** Presses the end button of the one other device; the page marks this one with aria-current. */
  async endTheOtherDevice() {
    const other = this.see('device').and(this.page.locator(':not([aria-current])'));
    await other.getByTestId('device-end').click();
  }

  /** Waits until this person's login is older than this. */
  async loginGrowsOld(seconds) {
    const answer = await this.page.request.get(`${this.#site.origin}/session`);
    const { auth_time: since } = await answer.json();
    await this.page.waitForFunction((until) => Date.now() / 1000 > until, since + seconds + 1);
  }

  async proveWhoTheyAre(password = 'correct horse') {
    await this.see('confirm-password').fill(password);
    await this.see('confirm-submit').click();
  }

  async reads(words) {
    await this.page.getByText(words).first().waitFor();
  }

  cookie(name) {
    return this.#context.cookies(this.#site.origin).then((all) => all.find((cookie) => cookie.name === name));
  }

  /** Pictures at both sizes. Nothing sticks out sideways, and whoever cannot see or use a mouse is not left out. */
  async portrait(name) {
    for (const [size, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
      await this.page.setViewportSize(viewport);
      const overhang = await this.page.evaluate(widestOverhang);
      assert.equal(overhang, 0, `${name} at ${viewport.width} px is ${overhang} px too wide`);
      await isAccessible(this.page, `${name}, ${size}`);
      // As a window of this height would show it: what is fixed or sticky stays where it belongs.
      const height = await this.page.evaluate(() => document.documentElement.scrollHeight);
      await this.page.setViewportSize({ ...viewport, height });
      await picture(this.page, `${name}-${size}`);
    }
    await this.page.emulateMedia({ colorScheme: 'dark' });
    await isAccessible(this.page, `${name}, dark`);
    await this.page.emulateMedia({ colorScheme: 'light' });
    await this.page.setViewportSize(DESKTOP);
  }
}

async function picture(page, name) {
  await mkdir(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true, animations: 'disabled' });
}

/** Runs in the page: how far the page can be scrolled sideways. */
function widestOverhang() {
  const { scrollWidth, clientWidth } = document.documentElement;
  return Math.max(scrollWidth, document.body.scrollWidth) - clientWidth;
}
