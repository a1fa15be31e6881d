import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationMs, durationPattern, sizeBytes, sizePattern } from './quantity.ts';

void test('durations are read in milliseconds', () => {
  assert.deepEqual(['250ms', '30s', '5m', '1h'].map(durationMs), [250, 30_000, 300_000, 3_600_000]);
});

void test('sizes are read in bytes, by 1024 as PostgreSQL counts', () => {
  assert.deepEqual(['64MB', '8GB', '1TB'].map(sizeBytes), [64 * 2 ** 20, 8 * 2 ** 30, 2 ** 40]);
});

void test('what is no duration or size has no match', () => {
  for (const text of ['30', '0s', '-1s', '1.5s', '30 s', '30S', '', '1d']) {
    assert.doesNotMatch(text, durationPattern);
  }
  for (const text of ['8', '8G', '8gb', '8 GB', '0GB', '1.5GB', '8KB']) {
    assert.doesNotMatch(text, sizePattern);
  }
});
