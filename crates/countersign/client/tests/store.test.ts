// The store, by the contracts of those who use it.

import assert from "node:assert/strict";
import test from "node:test";
import { createListeners } from "../src/listeners.js";
import { createStore } from "../src/store.js";

test("a subscriber hears the value at once and after each change, until it leaves (Svelte)", () => {
  const { subscribe, _set: set } = createStore(1);
  const heard: number[] = [];
  const leave = subscribe((value) => heard.push(value));
  set(2);
  leave();
  set(3);
  leave();
  assert.deepEqual(heard, [1, 2]);
});

test("the value is the same object until it changes (React)", () => {
  const store = createStore({ status: "active" });
  assert.equal(store.get(), store.get());
});

test("a listener that subscribes twice is told twice, and leaves once", () => {
  const { subscribe, _set: set } = createStore(0);
  let told = 0;
  const listener = () => void told++;
  const leave = subscribe(listener);
  subscribe(listener);
  leave();
  set(1);
  assert.equal(told, 3);
});

test("a listener that changes the value lets nobody hear the past last", () => {
  const { subscribe, _set: set } = createStore(0);
  const heard: number[] = [];
  subscribe((value) => value === 1 && set(2));
  subscribe((value) => heard.push(value));
  set(1);
  assert.equal(heard.at(-1), 2);
  assert.ok(!heard.slice(heard.indexOf(2)).includes(1));
});

test("a listener that throws harms nobody else", () => {
  const { reportError } = globalThis;
  const reported: unknown[] = [];
  globalThis.reportError = (error) => void reported.push(error);
  const { subscribe, _set: set } = createStore(0);
  let told = 0;
  subscribe(() => {
    throw new Error("mine");
  });
  subscribe(() => void told++);
  set(1);
  globalThis.reportError = reportError;
  assert.equal(told, 2);
  assert.equal(reported.length, 2);
});

test("events reach their own listeners only", () => {
  const { _on: on, _emit: emit } = createListeners();
  const heard: string[] = [];
  const leave = on("expiring", (at: number) => heard.push(`expiring ${at}`));
  on("ended", (reason: string) => heard.push(`ended ${reason}`));
  emit("expiring", () => 1);
  emit("ended", () => "logout");
  leave();
  emit("expiring", () => 2);
  assert.deepEqual(heard, ["expiring 1", "ended logout"]);
});
