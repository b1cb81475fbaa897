// When to try again.

import assert from "node:assert/strict";
import test from "node:test";
import { backoff, retryAfter } from "../src/backoff.js";
import { generator } from "./generator.js";

test("the pause is anywhere from nothing to twice the last most, and never above a minute", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const { next: random } = generator(seed);
    for (let attempt = 0; attempt < 2000; attempt += 1 + Math.floor(random() * 7)) {
      const most = Math.min(60_000, 500 * 2 ** attempt);
      const pause = backoff(attempt, random());
      assert.ok(pause >= 0 && pause < most, `attempt ${attempt}: ${pause} of ${most}`);
      assert.equal(backoff(attempt, 0.5), most / 2);
    }
  }
});

test("pauses are spread over all of their range", () => {
  const { next: random } = generator(7);
  const tenths = new Set(Array.from({ length: 300 }, () => Math.floor((backoff(3, random()) / 4000) * 10)));
  assert.equal(tenths.size, 10);
});

const NOW = Date.UTC(2026, 10, 21, 10, 0, 0);
const asked: [string | undefined, number][] = [
  ["0", 0],
  ["3", 3000],
  [" 3 ", 3000],
  ["Sat, 21 Nov 2026 10:00:07 GMT", 7000],
  ["Sat, 21 Nov 2026 09:00:00 GMT", 0],
  ["999999999999", 86_400_000],
  ["-5", 0],
  ["soon", 0],
  ["", 0],
  [undefined, 0],
];
for (const [header, expected] of asked) {
  test(`Retry-After: ${header}`, () => {
    const response = new Response(null, { status: 503, headers: header === undefined ? {} : { "Retry-After": header } });
    assert.equal(retryAfter(response, NOW), expected);
  });
}

test("no answer asks for nothing", () => {
  assert.equal(retryAfter(undefined, NOW), 0);
});
