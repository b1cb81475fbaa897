// One person at one browser, in the page's own words: each method is something a person does or sees.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { audit, witness } from './witness.mjs';

const SCREENSHOTS = process.env.COUNTERSIGN_SCREENSHOTS ?? join(import.meta.dirname, '../../target/screenshots');
const PHONE = { width: 360, height: 740 };
const DESKTOP = { width: 1280, height: 800 };
const PATIENCE_MS = 10_000;

export class Visitor {
  #site;
  #context;
  page;
  /** What the page did wrong, in the browser's own words. */
  complaints;

  static async arrive(browser, site, { profile = {}, prepare } = {}) {
    const context = await browser.newContext({ viewport: DESKTOP, ...profile });
    const complaints = await witness(context);
    await prepare?.(context);
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
    const file = `failed-${name.replaceAll(/[^a-z]+/gi, '-')}-${performance.now().toFixed()}.png`;
    await mkdir(SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: join(SCREENSHOTS, file), fullPage: true });
    console.error(`see ${file}; the page's complaints: ${JSON.stringify(this.complaints)}`);
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
    await this.#settles('cart', items, async () => {
      const shown = await this.see('cart-item').allInnerTexts();
      return shown.map((text) => text.trim());
    });
  }

  async seesDevices(count) {
    await this.#settles('devices', count, () => this.see('device').count());
  }

  /** Presses the end button of the one other device; the page marks this one with aria-current. */
  async endTheOtherDevice() {
    const other = this.see('device').and(this.page.locator(':not([aria-current])'));
    await other.getByTestId('device-end').click();
  }

  async reads(words) {
    await this.page.getByText(words).first().waitFor();
  }

  cookie(name) {
    return this.#context.cookies(this.#site.origin).then((all) => all.find((cookie) => cookie.name === name));
  }

  /** Pictures at both sizes; on the phone nothing may stick out sideways. */
  async portrait(name) {
    await mkdir(SCREENSHOTS, { recursive: true });
    for (const [size, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
      await this.page.setViewportSize(viewport);
      await this.page.screenshot({ path: join(SCREENSHOTS, `${name}-${size}.png`), fullPage: true });
      const overhang = await this.page.evaluate(widestOverhang);
      assert.equal(overhang, 0, `${name} at ${viewport.width} px is ${overhang} px too wide`);
    }
  }

  async #settles(what, expected, look) {
    const deadline = Date.now() + PATIENCE_MS;
    let seen = await look();
    while (JSON.stringify(seen) !== JSON.stringify(expected) && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      seen = await look();
    }
    assert.deepEqual(seen, expected, what);
  }
}

/** Runs in the page: how far the page can be scrolled sideways. */
function widestOverhang() {
  const { scrollWidth, clientWidth } = document.documentElement;
  return Math.max(scrollWidth, document.body.scrollWidth) - clientWidth;
}
