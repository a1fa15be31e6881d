import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { Random } from './random.ts';

void test('the same seed and labels give the same sequence, other labels another', () => {
  assert.equal(draw(new Random(7, 'amboro')), draw(new Random(7, 'amboro')));
  assert.notEqual(draw(new Random(7, 'amboro')), draw(new Random(7, 'selume')));
  assert.notEqual(draw(new Random(7, 'amboro')), draw(new Random(8, 'amboro')));
});

void test('bytes do not compress', () => {
  assert.ok(deflateSync(new Random(1).bytes(20_000)).length >= 20_000);
});

void test('whole numbers stay within their bounds and reach both', () => {
  const random = new Random(3);
  const seen = new Set(Array.from({ length: 400 }, () => random.integer(2, 5)));
  assert.deepEqual(seen, new Set([2, 3, 4, 5]));
});

void test('weights decide how often a name comes, and zero never', () => {
  const random = new Random(4);
  const count = { often: 0, seldom: 0, never: 0 };
  for (let draw = 0; draw < 2000; draw += 1) {
    count[random.weighted({ often: 9, seldom: 1, never: 0 })] += 1;
  }
  assert.equal(count.never, 0);
  assert.ok(count.often > 1600 && count.seldom > 100, JSON.stringify(count));
});

function draw(random: Random): string {
  return random.uuid() + random.text(100);
}
