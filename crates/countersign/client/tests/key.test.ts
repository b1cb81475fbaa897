// Where the key lives: one for all tabs of a browser profile, and one for this tab where the browser keeps nothing.

import assert from "node:assert/strict";
import test, { beforeEach, mock } from "node:test";
import { IDBFactory, IDBObjectStore } from "fake-indexeddb";
import { sharedKey } from "../src/key.js";

const BASE = "https://shop.example/session";

beforeEach(() => give(new IDBFactory()));

/** What `indexedDB` is in this browser. */
function give(indexedDB: unknown): void {
  Object.assign(globalThis, { indexedDB });
}

async function name({ publicKey }: CryptoKeyPair): Promise<string | undefined> {
  return (await crypto.subtle.exportKey("jwk", publicKey)).x;
}

async function names(...pairs: Promise<CryptoKeyPair>[]): Promise<Set<string | undefined>> {
  return new Set(await Promise.all((await Promise.all(pairs)).map(name)));
}

test("tabs that start at once have one key, and so have those that come later", async () => {
  const first = await names(...Array.from({ length: 20 }, () => sharedKey(BASE)));
  assert.equal(first.size, 1);
  assert.deepEqual(await names(sharedKey(BASE)), first);
});

test("another base has another key", async () => {
  assert.equal((await names(sharedKey(BASE), sharedKey(`${BASE}2`))).size, 2);
});

test("no script can read the private key", async () => {
  for (const { privateKey } of [await sharedKey(BASE), await sharedKey(BASE)]) {
    assert.equal(privateKey.extractable, false);
    for (const format of ["jwk", "pkcs8"] as const) {
      await assert.rejects(crypto.subtle.exportKey(format, privateKey), { name: /^InvalidAccess/ });
    }
  }
});

async function store(value: unknown): Promise<void> {
  await sharedKey(BASE);
  const request = indexedDB.open("countersign");
  await new Promise((resolve) => (request.onsuccess = resolve));
  const transaction = request.result.transaction("keys", "readwrite");
  transaction.objectStore("keys").put(value, BASE);
  await new Promise((resolve) => (transaction.oncomplete = resolve));
  request.result.close();
}

for (const garbage of [null, "key", {}, { privateKey: {}, publicKey: {} }]) {
  test(`what is no key is replaced by one, for all tabs: ${JSON.stringify(garbage)}`, async () => {
    await store(garbage);
    const first = await names(...Array.from({ length: 5 }, () => sharedKey(BASE)));
    assert.equal(first.size, 1);
    assert.deepEqual(await names(sharedKey(BASE)), first);
  });
}

const failing = (error: unknown) => ({
  open() {
    const request = { error, onerror: () => {} };
    queueMicrotask(() => request.onerror());
    return request;
  },
});
const throwing = {
  open() {
    throw new DOMException("forbidden", "SecurityError");
  },
};

for (const [what, indexedDB] of Object.entries({ missing: undefined, throwing, failing: failing(new Error("no")) })) {
  test(`a browser whose IndexedDB is ${what} has a key of each tab`, async () => {
    give(indexedDB);
    assert.equal((await names(sharedKey(BASE), sharedKey(BASE))).size, 2);
  });
}

test("a browser whose IndexedDB stores no keys has a key of each tab", async () => {
  const refusing = mock.method(IDBObjectStore.prototype, "put", () => {
    throw new DOMException("not in private windows", "DataCloneError");
  });
  const found = await names(sharedKey(BASE), sharedKey(BASE));
  refusing.mock.restore();
  assert.equal(found.size, 2);
});

test("a browser whose IndexedDB never answers is not waited for", async (context) => {
  const asked = new Promise<void>((resolve) => give({ open: () => (resolve(), {}) }));
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const pair = sharedKey(BASE);
  await asked;
  context.mock.timers.tick(3000);
  assert.ok((await pair).privateKey);
});
