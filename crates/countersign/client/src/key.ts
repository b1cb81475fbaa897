// Where the key pair lives: in IndexedDB, as a handle that cannot be exported, shared by the origin's tabs.

const STORE = "keys";

/** How long IndexedDB may take; some browsers never answer. Milliseconds. */
const PATIENCE = 3000;

/** The stored key pair of this name, or a new one, stored where that is possible and else for this tab alone. */
export async function sharedKey(name: string): Promise<CryptoKeyPair> {
  // Made in advance: a transaction does not wait for anything but itself.
  const fresh = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
  try {
    const stored = await inTime(open());
    return await inTime(keepOrPut(stored, name, fresh)).finally(() => stored.close());
  } catch {
    return fresh;
  }
}

/** One transaction, so that of two tabs one puts and the other finds. What cannot be used is replaced. */
function keepOrPut(stored: IDBDatabase, name: string, fresh: CryptoKeyPair): Promise<CryptoKeyPair> {
  return new Promise((resolve, reject) => {
    const transaction = stored.transaction(STORE, "readwrite");
    const keys = transaction.objectStore(STORE);
    let pair = fresh;
    const put = () => keys.put(fresh, name);
    const found = keys.get(name);
    found.onsuccess = () => {
      if (isUsable(found.result)) pair = found.result;
      else put();
    };
    found.onerror = (event) => {
      event.preventDefault();
      put();
    };
    transaction.oncomplete = () => resolve(pair);
    transaction.onabort = () => reject(transaction.error);
  });
}

function isUsable(found: Partial<CryptoKeyPair> | undefined): found is CryptoKeyPair {
  return !!found?.publicKey && !!found.privateKey?.usages?.includes("sign");
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("countersign", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function inTime<T>(promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("IndexedDB does not answer")), PATIENCE);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
