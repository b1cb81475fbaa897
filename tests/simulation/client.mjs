// The real client as it is built, and its DPoP module with keys that a browser's tabs share, as IndexedDB would.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = resolve(process.env.COUNTERSIGN_CLIENT ?? join(import.meta.dirname, '../../crates/countersign/client/dist'));
if (!existsSync(folder)) throw new Error(`no client in ${folder}`);

export const { createSession } = await import(pathToFileURL(join(folder, 'client.js')));
const { createProver } = await import(pathToFileURL(join(folder, 'dpop.js')));

/** Cryptography takes real time, in threads of its own: the world waits for it. */
export async function loadDpop({ browser }) {
  const { scheduler } = browser.world;
  const during = (work) => scheduler.during(work);
  return {
    async createProver(base) {
      browser.prover ??= during(createProver(base));
      const prover = await browser.prover;
      return { proof: (of) => during(prover.proof(of)) };
    },
  };
}
