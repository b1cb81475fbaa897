// Tabs whose access token runs out at the same moment: one refresh on the wire, whoever sends it, and nobody notices.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { siteWith } from './stories.mjs';

/** After a first one, in which some token may still be fresh. */
const ROUNDS = 20;
/** Two tabs each, so that there are 200 races of two over both transports; and one browser with four. */
const BROWSERS = [...Array(5).fill(2), 4];

/** A token of three seconds has run out before the next round, and lives until all tabs of this one have used it. */
const ACCESS_TTL = '3s';
const ROUND_MS = 4000;
/** It ends at a whole second, and is renewed from the last quarter of its life on: not as soon as this, in any case. */
const STILL_GOOD_MS = 1000;
/** An event stream that opens anew between two rounds has the token renewed, too: then it is still good in the next one. */
const FEWEST = 15;

describe('tabs that refresh at once', { timeout: 300_000, concurrency: true }, () => {
  for (const transport of ['cookies', 'bearer']) {
    describe(`with ${transport}`, { concurrency: 1 }, () => {
      const story = siteWith('--transport', transport, '--access-ttl', ACCESS_TTL);

      story('send one refresh for all, a hundred times', async ({ open }) => {
        const browsers = await Promise.all(BROWSERS.map((tabs) => arrive(open, tabs)));
        const first = Date.now() + ROUND_MS;
        // Browsers take turns: each has a slice of the round to itself, as far as this machine can keep up.
        await Promise.all(browsers.map((tabs, n) => race(tabs, first + (n * ROUND_MS) / BROWSERS.length)));
      });
    });
  }
});

async function arrive(open, count) {
  const tabs = [await open()];
  await tabs[0].logIn();
  while (tabs.length < count) tabs.push(await tabs[0].another());
  return tabs;
}

async function race(tabs, first) {
  const told = await Promise.all(tabs.map(({ page }) => page.evaluate(run, { first, rounds: 1 + ROUNDS, every: ROUND_MS })));
  for (const { answers, states } of told) {
    assert.deepEqual(answers, Array(1 + ROUNDS).fill(200));
    assert.deepEqual(states.filter((state) => !['active', 'refreshing'].includes(state)), []);
  }
  const refreshes = tabs[0].sent('POST /session/refresh').map(({ arrived }) => arrived - first).filter((at) => at > ROUND_MS / 2);
  const needless = refreshes.filter((at, n) => n > 0 && at - refreshes[n - 1] < STILL_GOOD_MS);
  assert.deepEqual(needless, [], `a refresh while the token of another was good: ${refreshes}`);
  assert.ok(refreshes.length >= FEWEST, `one refresh a round: ${refreshes}`);
}

/** Runs in each tab. */
async function run({ first, rounds, every }) {
  heard.length = 0;
  const answers = [];
  for (let round = 0; round < rounds; round += 1) {
    const start = first + round * every;
    await new Promise((resolve) => { setTimeout(resolve, start - Date.now()); });
    answers.push(await session.fetch('/api/poll').then(({ status }) => status, String));
  }
  return { answers, states: heard.filter(({ name }) => name === 'state').map(({ detail }) => detail) };
}
