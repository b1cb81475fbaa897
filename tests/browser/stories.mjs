// How a story is told: a browser for the file, a site for a group of stories, fresh people for each story.

import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { Site } from './site.mjs';
import { Tab } from './tab.mjs';
import { Visitor } from './visitor.mjs';

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Playwright turns the back/forward cache off, which people's browsers have. For files whose stories need it. */
export function keepPagesForGoingBack() {
  ignoreDefaultArgs.push('--disable-back-forward-cache');
}

const ignoreDefaultArgs = [];
let launched;

/** The file's browser. */
function theBrowser() {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  return launched ??= chromium.launch({ executablePath, args: FLAGS, ignoreDefaultArgs });
}

after(async () => {
  await (await launched)?.close();
});

/** A site for the stories of the enclosing `describe`; returns the function that tells one. */
export function siteWith(...flags) {
  let browser;
  let site;
  before(async () => { [browser, site] = await Promise.all([theBrowser(), Site.open(flags)]); });
  after(async () => { await site?.close(); });

  return (name, tell) => test(name, async () => {
    const here = [];
    const arriving = (kind) => async (...how) => {
      here.push(await kind.arrive(browser, site, ...how));
      return here.at(-1);
    };
    try {
      const come = (kind, ...how) => arriving(kind)(...how);
      await tell({ site, arrive: arriving(Visitor), open: arriving(Tab), come });
    } catch (failure) {
      for (const one of here) await one.leaveEvidence(name);
      throw failure;
    } finally {
      await site.weather.clear();
    }
    for (const one of here) await one.leave();
  });
}
