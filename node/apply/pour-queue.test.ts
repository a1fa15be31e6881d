import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PourQueue } from './pour-queue.ts';

/** Pours as PostgreSQL would: the first set with a bad row fails, all before it are in. */
function pour(
  count: number,
  bad: ReadonlySet<number>,
  knows: (row: number) => 'sure' | 'guess' | 'no',
) {
  const queue = new PourQueue(count);
  const went: number[] = [];
  const found: number[] = [];
  let fired = 0;
  for (let sets = queue.next(); sets.length > 0; sets = queue.next()) {
    fired += 1;
    assert.ok(fired < 100 + 40 * count, 'ends');
    let failed = false;
    for (const set of sets) {
      const rows = Array.from({ length: set.to - set.from }, (_, n) => set.from + n);
      const row = rows.find((one) => bad.has(one));
      if (row === undefined) {
        went.push(...rows);
        queue.went(set.to);
        continue;
      }
      failed = true;
      const known = knows(row);
      if (rows.length === 1 || known === 'sure') {
        found.push(row);
        queue.without(row, set);
      } else if (known === 'guess') {
        queue.alone(row, set);
      } else {
        queue.halve(set);
      }
      break;
    }
    if (!failed) {
      queue.allWent();
    }
  }
  return { went, found, fired };
}

void test('every good row goes in once and in its order, every bad one is found', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 300 }),
      fc.array(fc.integer({ min: 0, max: 299 })),
      fc.constantFrom('sure', 'guess', 'no'),
      (count, some, known) => {
        const bad = new Set(some.filter((row) => row < count));
        const { went, found } = pour(count, bad, () => known);
        const all = Array.from({ length: count }, (_, n) => n);
        assert.deepEqual(
          went,
          all.filter((row) => !bad.has(row)),
        );
        assert.deepEqual(
          found,
          [...bad].sort((a, b) => a - b),
        );
      },
    ),
  );
});

void test('one bad row in a hundred takes few round trips', () => {
  const bad = new Set(Array.from({ length: 100 }, (_, n) => n * 100 + 37));
  const { fired } = pour(10_000, bad, () => 'sure');
  assert.ok(fired < 150, `${fired}`);
});
