// Turns across tabs, and the marks by which a tab sees who has renewed last.

import assert from "node:assert/strict";
import test from "node:test";
import type { Environment } from "../src/environment.js";
import { createMarks } from "../src/marks.js";
import type { SessionObject } from "../src/state.js";
import { createTurns } from "../src/turns.js";
import { settled, TestClock } from "./clock.js";
import { generator } from "./generator.js";
import { Locks } from "./locks.js";

function environment(locks?: unknown): { clock: TestClock; environment: Environment } {
  const clock = new TestClock();
  return { clock, environment: { setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout, now: () => clock.now, locks } as Environment };
}

const forbidden = { request: () => Promise.reject(new DOMException("", "SecurityError")), query: () => Promise.reject(new Error()) };

for (const [name, locks, between] of [["locks", new Locks(), true], ["no locks", undefined, false], ["forbidden locks", forbidden, false]] as const) {
  test(`nobody shares a turn with who is alone: ${name}`, async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const stage = environment(locks);
      const { below } = generator(seed);
      // Where locks work, so it is between tabs too.
      const tabs = [1, 2].map(() => createTurns(stage.environment, `lock ${seed}`, () => 1e6));
      let alone = 0;
      let sharing = 0;
      const tasks = Array.from({ length: 30 }, (_, i) => {
        const mode = locks && name === "locks" && below(2) ? "shared" : "exclusive";
        return tabs[between ? i % 2 : 0]!(mode, async () => {
          if (mode === "exclusive") alone++;
          else sharing++;
          assert.ok(alone <= 1 && !(alone && sharing), `seed ${seed}`);
          await new Promise<void>((resolve) => stage.clock.setTimeout(resolve, below(50)));
          if (mode === "exclusive") alone--;
          else sharing--;
          return i;
        });
      });
      await stage.clock.advance(3000);
      assert.deepEqual(await Promise.all(tasks), tasks.map((_, i) => i));
    }
  });

  test(`a task that fails gives up its turn: ${name}`, async () => {
    const { environment: world } = environment(locks);
    const turns = createTurns(world, "failing", () => 1e6);
    await assert.rejects(turns("exclusive", () => Promise.reject(new Error("mine"))), /mine/);
    assert.equal(await turns("exclusive", async () => "next"), "next");
  });

  test(`who gives up waiting is never called, and blocks nobody: ${name}`, async () => {
    const { environment: world } = environment(locks);
    const turns = createTurns(world, "given up", () => 1e6);
    let release!: () => void;
    const first = turns("exclusive", () => new Promise<void>((resolve) => (release = resolve)));
    await settled();
    const abort = new AbortController();
    let called = false;
    const second = turns("exclusive", async () => void (called = true), abort.signal);
    const third = turns("exclusive", async () => "third");
    abort.abort(new Error("enough"));
    await assert.rejects(second, /enough/);
    release();
    assert.equal(await third, "third");
    await first;
    assert.equal(called, false);
  });
}

test("who has waited long enough goes on, and holds nothing when the holder wakes up", async () => {
  const locks = new Locks();
  const { clock, environment: world } = environment(locks);
  const turns = createTurns(world, "frozen", () => 1000);
  let wake!: () => void;
  void locks.request("frozen", () => new Promise<void>((resolve) => (wake = resolve)));
  let done = false;
  const task = turns("exclusive", async () => void (done = true));
  await clock.advance(999);
  assert.equal(done, false);
  await clock.advance(1);
  await task;
  assert.equal(done, true);
  wake();
  await settled();
  assert.deepEqual(await locks.query(), { held: [], pending: [] });
});

test("the newest mark is seen by all tabs, as soon as it is held; that of others is passed over", async () => {
  const locks = new Locks();
  const { environment: world } = environment(locks);
  const [one, two] = [createMarks(world, "base"), createMarks(world, "base")];
  const session = { id: "abc_-D", access_expires_at: 7 } as SessionObject;
  assert.equal(await one._newest(), 0);
  await one._hold(5, session);
  assert.equal(await two._newest(), 5);
  await two._hold(6, session);
  assert.equal(await one._newest(), 6);
  await one._hold(7, session);
  two._drop();
  one._drop();
  await settled();
  assert.deepEqual((await locks.query()).held, [], "no older one stays behind");
  for (const name of ["base:at:", "base:at:x", "base:stream", "base", "other:at:9:x:"]) void locks.request(name, () => new Promise(() => {}));
  await settled();
  assert.equal(await one._newest(), 0);
});

test("without locks, or where they are forbidden, marks are silent", async () => {
  for (const locks of [undefined, forbidden]) {
    const marks = createMarks(environment(locks).environment, "base");
    await marks._hold(5, { id: "abc" } as SessionObject);
    assert.deepEqual(await marks._newest(), 0);
    marks._drop();
  }
});
