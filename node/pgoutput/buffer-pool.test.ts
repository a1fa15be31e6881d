import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferPool } from './buffer-pool.ts';

void test('what is given back is used again where it is large enough, and no more is kept than is allowed', () => {
  const pool = new BufferPool(3000);
  const first = pool.take(1000);
  assert.ok(first.length >= 1000);
  pool.give(first.subarray(10, 20));
  assert.notEqual(pool.take(1001).buffer, first.buffer, 'too small');
  assert.equal(pool.take(500).buffer, first.buffer);
  assert.notEqual(pool.take(500).buffer, first.buffer, 'in use');
  const [old, ...others] = [1000, 1000, 1000, 1000].map((bytes) => pool.take(bytes));
  [old, ...others].forEach((one) => one && pool.give(one));
  const again = [1, 2, 3].map(() => pool.take(1000).buffer);
  assert.deepEqual(new Set(again), new Set(others.map(({ buffer }) => buffer)));
  assert.ok(pool.take(1000).buffer !== old?.buffer);
});
