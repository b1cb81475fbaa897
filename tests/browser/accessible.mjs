// Whether a page as it is now can be used by everyone, as far as axe-core can tell.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

const AXE = await readFile(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

/** Fails with every finding, and where it is. */
export async function isAccessible(page, what) {
  // Evaluated from outside, it needs no exception in the page's content security policy.
  if (!await page.evaluate(() => 'axe' in globalThis)) await page.evaluate(AXE);
  const findings = await page.evaluate(async () => {
    const { violations } = await axe.run(document, { resultTypes: ['violations'] });
    return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' | ')}`);
  });
  assert.deepEqual(findings, [], what);
}
