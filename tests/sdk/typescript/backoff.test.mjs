import assert from "node:assert/strict";
import test from "node:test";
import { Backoff, longestRetryAfterMs, parseRetryAfter } from "../../../sdk/typescript/dist/backoff.js";

const limits = { baseMs: 500, maxMs: 60_000 };

test("a wait is anything up to a ceiling that doubles until its maximum", () => {
  const longest = new Backoff(limits, () => 1);
  assert.deepEqual(Array.from({ length: 9 }, () => longest.next()), [500, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000]);
  const shortest = new Backoff(limits, () => 0);
  assert.deepEqual(Array.from({ length: 3 }, () => shortest.next()), [0, 0, 0]);
});

test("a success begins the waits anew", () => {
  const backoff = new Backoff(limits, () => 1);
  for (let n = 0; n < 2000; ++n) backoff.next();
  assert.equal(backoff.next(), 60_000);
  backoff.reset();
  assert.equal(backoff.next(), 500);
});

test("waits are spread evenly", () => {
  const backoff = new Backoff({ baseMs: 1000, maxMs: 1000 }, Math.random);
  const waits = Array.from({ length: 4000 }, () => backoff.next());
  for (let part = 0; part < 4; ++part) {
    const share = waits.filter((wait) => Math.floor(wait / 250) === part).length / waits.length;
    assert.ok(Math.abs(share - 0.25) < 0.05, `${share} of the waits in quarter ${part}`);
  }
});

test("Retry-After is waited for, and the jitter comes after it", () => {
  assert.equal(new Backoff(limits, () => 0).next(7000), 7000);
  assert.equal(new Backoff(limits, () => 1).next(7000), 7500);
  assert.equal(new Backoff(limits, () => 0).next(1e12), longestRetryAfterMs);
});

test("Retry-After may be seconds or a date", () => {
  const now = Date.parse("2026-11-24T12:00:00Z");
  assert.equal(parseRetryAfter("3", now), 3000);
  assert.equal(parseRetryAfter("Tue, 24 Nov 2026 12:00:09 GMT", now), 9000);
  assert.equal(parseRetryAfter("Tue, 24 Nov 2026 11:00:00 GMT", now), 0);
  assert.equal(parseRetryAfter("soon", now), null);
  assert.equal(parseRetryAfter(null, now), null);
});
