// The server's clock, estimated from headers that know whole seconds only.

import assert from "node:assert/strict";
import test from "node:test";
import { createClock } from "../src/clock.js";
import type { Environment } from "../src/environment.js";
import { generator } from "./generator.js";

/** A server whose clock is `ahead` milliseconds ahead, asked over a network. */
function stage(ahead: number) {
  const local = { now: 1_790_000_000_123 };
  const clock = createClock({ now: () => local.now } as Environment);
  return {
    local,
    clock,
    ask(there: number, back: number): void {
      const sent = local.now;
      local.now += there;
      const date = new Date(local.now + ahead).toUTCString();
      local.now += back;
      clock._heard(new Response(null, { headers: { Date: date } }), sent);
    },
    /** How far off the estimate is, in seconds. */
    error: () => Math.abs(clock.now() - (local.now + ahead) / 1000),
  };
}

test("before an answer, the local clock has to do", () => {
  const { clock, local } = stage(0);
  assert.equal(clock.now(), local.now / 1000);
});

for (const hours of [-2, 0, 2]) {
  test(`a clock ${hours} hours off is known to a second after one answer, and better after many`, () => {
    const { next: random } = generator(hours + 10);
    const { ask, error, local } = stage(hours * 3_600_000);
    ask(80, 40);
    assert.ok(error() <= 0.56, `${error()} s`);
    for (let i = 0; i < 100; i++) {
      local.now += Math.floor(random() * 5000);
      ask(20 + random() * 50, 20 + random() * 50);
      assert.ok(error() <= 0.6, `${error()} s`);
    }
    assert.ok(error() <= 0.08, `${error()} s`);
  });
}

test("a slow answer spoils nothing", () => {
  const { ask, error } = stage(7_200_000);
  ask(10, 10);
  ask(15_000, 4_000);
  assert.ok(error() <= 0.51, `${error()} s`);
});

test("a local clock that jumps is noticed with the next answer", () => {
  const server = 1_790_000_000_000;
  const local = { now: server };
  const clock = createClock({ now: () => local.now } as Environment);
  const answer = () => new Response(null, { headers: { Date: new Date(server).toUTCString() } });
  for (const jump of [3_600_000, -7_200_000]) {
    clock._heard(answer(), local.now);
    local.now += jump;
    assert.ok(Math.abs(clock.now() - server / 1000) > 3000, "it cannot be known before");
    clock._heard(answer(), local.now);
    assert.ok(Math.abs(clock.now() - server / 1000) <= 1);
  }
});

for (const date of [undefined, "", "yesterday", "2026"]) {
  test(`an answer without a proper date teaches nothing: ${date}`, () => {
    const { clock, local } = stage(0);
    clock._heard(new Response(null, { headers: date === undefined ? {} : { Date: date } }), local.now);
    if (date !== "2026") assert.equal(clock.now(), local.now / 1000);
  });
}
