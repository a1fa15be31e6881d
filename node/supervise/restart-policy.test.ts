import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  greatestDelayMs,
  leastDelayMs,
  mendedBy,
  personDelayMs,
  restartAfter,
} from './restart-policy.ts';

void test('a passing failure is tried again after 0.25 s to 30 s, whatever chance says', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e6 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (n, chance) => {
        const { delayMs } = restartAfter('link_cut', n, chance);
        assert.ok(delayMs >= leastDelayMs && delayMs <= greatestDelayMs);
      },
    ),
  );
});

void test('the delay doubles from failure to failure and ends at its greatest', () => {
  const delays = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => restartAfter('link_cut', n, 0).delayMs);
  assert.deepEqual(delays, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

void test('chance takes up to a half off, so that streams do not come back in step', () => {
  assert.equal(restartAfter('link_cut', 7, 1).delayMs, 15_000);
});

void test('what needs a person is looked at once a minute, and is an error from the first line', () => {
  for (const code of ['doubt', 'drifted', 'secret_unreadable'] as const) {
    assert.deepEqual(restartAfter(code, 1, 0.5), { delayMs: personDelayMs, level: 'error' });
  }
});

void test('text after binary is tried at once', () => {
  assert.equal(restartAfter('text_needed', 5, 0).delayMs, 0);
});

void test('the log line grows louder with the delay', () => {
  const levels = [1, 2, 3, 4, 5, 6].map((n) => restartAfter('link_cut', n, 0).level);
  assert.deepEqual(levels, ['info', 'warn', 'warn', 'warn', 'error', 'error']);
});

void test('a row that failed is mended by a part that went in, a cut link by a connection that stands', () => {
  assert.equal(mendedBy('drifted'), 'part');
  assert.equal(mendedBy('link_cut'), 'connection');
});
