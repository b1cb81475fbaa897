// The reader of event streams, on the vectors that the server's tests read too, in chunks cut anywhere.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { eventReader } from "../src/sse.js";
import { generator } from "./generator.js";

interface Vectors {
  written: { event: string; data: object; wire: string }[];
  read: { about: string; stream: string; events: [string, string][] }[];
}

const vectors: Vectors = JSON.parse(readFileSync("../../../tests/vectors/events.json", "utf8"));

function read(chunks: Iterable<Uint8Array>): [string, string][] {
  const events: [string, string][] = [];
  const reader = eventReader((name, data) => events.push([name, data]));
  for (const chunk of chunks) reader(chunk);
  return events;
}

function* cut(bytes: Uint8Array, length: () => number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const to = at + length();
    yield bytes.subarray(at, to);
    at = to;
  }
}

const utf8 = (text: string) => new TextEncoder().encode(text);

test("what the server writes is what is read", () => {
  for (const { event, data, wire } of vectors.written) {
    const events = read([utf8(wire)]);
    assert.equal(events.length, 1, wire);
    assert.equal(events[0]![0], event);
    assert.deepEqual(JSON.parse(events[0]![1]), data);
  }
});

for (const { about, stream, events } of vectors.read) {
  test(`a stream: ${about}`, () => {
    const bytes = utf8(stream);
    assert.deepEqual(read([bytes]), events, "in one piece");
    assert.deepEqual(read(cut(bytes, () => 1)), events, "byte by byte");
    for (let at = 0; at <= bytes.length; at++) {
      assert.deepEqual(read([bytes.subarray(0, at), new Uint8Array(), bytes.subarray(at)]), events, `cut at ${at}`);
    }
  });
}

test("any stream brings the same events, however it is cut", () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const { below, pick } = generator(seed);
    const stream = Array.from({ length: below(40) }, () => pick(MORSELS)).join("");
    const bytes = utf8(stream);
    const whole = read([bytes]);
    assert.deepEqual(read(cut(bytes, () => 1 + below(5))), whole, `seed ${seed}: ${JSON.stringify(stream)}`);
    assert.deepEqual(whole, reference(stream), `seed ${seed}: ${JSON.stringify(stream)}`);
  }
});

/** What streams are made of, whole words and halves. */
const MORSELS = ["\n", "\r", "\r\n", "\n\n", "data", "data:", "data: ", "event: ", "event:", ":", " ", "x", "é", "\u{1F36A}", "\u2028", "\uFEFF", "id: 1", "{}"];

/** The standard's steps, word by word and on the whole text: slow, and written apart from the reader. */
function reference(stream: string): [string, string][] {
  const events: [string, string][] = [];
  let type = "";
  let data = "";
  const text = stream.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n").replaceAll("\r", "\n");
  for (const line of text.split("\n").slice(0, -1)) {
    const colon = line.indexOf(":");
    if (line === "") {
      if (data !== "") events.push([type === "" ? "message" : type, data.replace(/\n$/, "")]);
      type = data = "";
    } else if (colon !== 0) {
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "event") type = value;
      if (field === "data") data += `${value}\n`;
    }
  }
  return events;
}

test("an event without end is an error, not a growing memory", () => {
  const line = utf8(`data: ${"x".repeat(1000)}\n`);
  assert.throws(() => read(Array.from({ length: 100 }, () => line)), RangeError);
  const endless = utf8("x".repeat(1000));
  assert.throws(() => read(Array.from({ length: 100 }, () => endless)), RangeError);
  assert.equal(read(Array.from({ length: 100 }, () => utf8(`data: ${"x".repeat(1000)}\n\n`))).length, 100);
});
