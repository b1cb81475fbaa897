// Waiting for something to become so: as short as it can be, and never for ever.

import assert from 'node:assert/strict';

export const PATIENCE_MS = 20_000;
const LOOK_AGAIN_MS = 20;

/** Looks until it sees what it expects; returns that, or fails with what it saw last. */
export async function until(look, expected = true, what = `${look}`) {
  const deadline = Date.now() + PATIENCE_MS;
  let seen = await look();
  while (JSON.stringify(seen) !== JSON.stringify(expected) && Date.now() < deadline) {
    await new Promise((resolve) => { setTimeout(resolve, LOOK_AGAIN_MS); });
    seen = await look();
  }
  assert.deepEqual(seen, expected, what);
  return seen;
}
