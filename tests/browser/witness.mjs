// What every story must show beside its own matter: no error, no violation of the content security policy, no token
// in any storage, and nothing of the page's globals replaced.

import assert from 'node:assert/strict';

/** What a browser logs by itself for a refused or broken request; the page shows those in its own way. */
const REFUSED_REQUEST = /^Failed to load resource/;

/** Collects what goes wrong in all pages of a context, in the browser's own words. */
export async function witness(context) {
  const complaints = [];
  await context.addInitScript(() => {
    // As the page finds them, whatever a story has done to them before.
    const { fetch, XMLHttpRequest, EventSource, WebSocket, BroadcastChannel, Request, Response, setTimeout } = globalThis;
    const found = { fetch, XMLHttpRequest, EventSource, WebSocket, BroadcastChannel, Request, Response, setTimeout };
    Object.defineProperty(globalThis, 'asFound', { value: found });
    addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      console.error(`content security policy: ${violatedDirective} ${blockedURI}`);
    });
  });
  context.on('weberror', (error) => complaints.push(`uncaught: ${error.error()}`));
  context.on('console', (message) => {
    const bad = message.type() === 'error' && !REFUSED_REQUEST.test(message.text());
    if (bad) complaints.push(message.text());
  });
  return complaints;
}

/** Looks into a page before it is left. */
export async function audit(page) {
  assert.deepEqual(await page.evaluate(allThatIsStored), { local: [], session: [], databases: {} });
  assert.deepEqual(await page.evaluate(whatIsReplaced), []);
}

/** Runs in the page: every entry of every storage; of the key pair of DPoP, only what it should not be. */
async function allThatIsStored() {
  const stored = { local: Object.entries(localStorage), session: Object.entries(sessionStorage), databases: {} };
  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const isHandle = (value) => value?.privateKey instanceof CryptoKey && value.privateKey.extractable === false
    && value.publicKey instanceof CryptoKey && Object.keys(value).length === 2;
  // In some stories it is forbidden: then there is nothing in it.
  const factory = (() => { try { return indexedDB; } catch { return undefined; } })();
  for (const { name } of await factory?.databases() ?? []) {
    const database = await done(factory.open(name));
    for (const store of database.objectStoreNames) {
      const values = await done(database.transaction(store).objectStore(store).getAll());
      const others = values.filter((value) => !isHandle(value));
      if (others.length > 0) stored.databases[`${name}/${store}`] = others.map(String);
    }
    database.close();
  }
  return stored;
}

/** Runs in the page: globals of the browser that somebody has replaced or wrapped. */
function whatIsReplaced() {
  return Object.keys(asFound).filter((name) => globalThis[name] !== asFound[name]);
}
