/** How many rows are compared at once: quickly many where tables are equal, and little in vain where they are not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  afterDiffering,
  afterEqual,
  firstCoarse,
  firstRows,
  firstStride,
  isRest,
} from './coarse-stride.ts';

const atOnce = 131_072;
const total = 16_000_000;

/** Of one question about a row, where to compare it by blocks is one: as measured. */
const price = 0.45;

/** What it costs to walk a table, by a question that is equal where no row of it differs. */
function cost(differs: (from: number, to: number) => boolean): number {
  let stride = firstStride(atOnce);
  let sum = 0;
  for (let at = 0; at < total;) {
    const to = Math.min(total, at + stride.rows);
    sum += (to - at) * price;
    if (!differs(at, to)) {
      // Two microseconds a row.
      stride = afterEqual(stride, (to - at) / 500);
      at = to;
      continue;
    }
    const then = afterDiffering(stride, atOnce);
    ({ stride } = then);
    if (then.finely !== null) {
      const end = Math.min(total, to + then.finely);
      sum += end - at;
      at = end;
    }
  }
  return sum / total;
}

void test('of wide rows few are asked for at first', () => {
  assert.equal(firstCoarse(300), 131_072);
  assert.equal(firstCoarse(1 << 20), 64);
  assert.equal(firstCoarse(1 << 16), 1024);
  assert.equal(firstCoarse(0), 131_072);
});

void test('more is asked for at once while the answer is quick, and less when it is slow', () => {
  assert.equal(afterEqual(firstStride(1000), 100).rows, 8000);
  assert.equal(afterEqual(firstStride(1000), 1000).rows, 1000);
  assert.equal(afterEqual(firstStride(1000), 5000).rows, 500);
  assert.equal(afterEqual(firstStride(1), 5000).rows, 1);
  assert.equal(afterEqual(firstStride(1 << 22), 1).rows, 1 << 22);
});

void test('where many rows differ as a whole fewer are asked for, and many only by and by again', () => {
  const again = afterDiffering({ rows: 8 * atOnce, most: 1 << 22, differed: 0 }, atOnce);
  assert.equal(again.finely, null);
  assert.equal(again.stride.rows, atOnce);
  const finely = afterDiffering(again.stride, atOnce);
  assert.equal(finely.finely, 0);
  const once = afterEqual(finely.stride, 1);
  assert.equal(once.rows, 2 * atOnce);
  assert.equal(afterEqual(once, 1).rows, 4 * atOnce);
});

void test('rows that were slow stay few when they differ', () => {
  const slow = afterEqual(firstStride(1024), 5000);
  assert.equal(afterDiffering(slow, 1024).stride.rows, 512);
});

void test('to ask as a whole costs little where it is in vain, and most is won where little differs', () => {
  assert.ok(cost(() => false) < 0.46);
  assert.ok(cost(() => true) < 1.25);
  assert.ok(cost((from, to) => from <= 7_000_000 && 7_000_000 < to) < 0.8);
  // A row in a million is on its way whenever it is asked for.
  assert.ok(cost((from, to) => Math.floor(to / 1e6) > Math.floor(from / 1e6)) < 1);
});

void test('the rest is one question only where the table is small on the disk', () => {
  const stride = firstStride(atOnce);
  assert.equal(isRest(stride, { expected: atOnce, bytes: 1 << 20 }), true);
  assert.equal(isRest(stride, { expected: atOnce + 1, bytes: 1 << 20 }), false);
  assert.equal(isRest(stride, { expected: 0, bytes: 1 << 30 }), false);
});

void test('a small table is asked for as a whole at first, and should it differ as much at once as any other', () => {
  const small = { expected: 1_000_000, bytes: 300 << 20 };
  const stride = firstStride(firstRows(atOnce, small));
  assert.equal(isRest(stride, small), true);
  const then = afterDiffering(stride, atOnce);
  assert.equal(then.finely, null);
  assert.equal(then.stride.rows, atOnce);
  const large = { expected: 1_000_000, bytes: 600 << 20 };
  assert.equal(firstRows(atOnce, large), atOnce);
});
