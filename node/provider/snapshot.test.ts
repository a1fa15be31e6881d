/** Which transactions a snapshot sees. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseSnapshot, sees } from './snapshot.ts';

void test('a snapshot sees what had ended, not what runs and not what came later', () => {
  const snapshot = parseSnapshot('100:110:103,107');
  assert.equal(sees(snapshot, 99), true);
  assert.equal(sees(snapshot, 102), true);
  assert.equal(sees(snapshot, 103), false);
  assert.equal(sees(snapshot, 109), true);
  assert.equal(sees(snapshot, 110), false);
  assert.deepEqual(parseSnapshot('5:5:').running, []);
  assert.throws(() => parseSnapshot('5:5'), RangeError);
});

void test('ids of 32 bits are those nearest to the snapshot, also after they wrapped around', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 2n ** 31n, max: 2n ** 40n }),
      fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      (xmax, distance) => {
        const snapshot = { xmin: xmax - 5n, xmax, running: [xmax - 5n] };
        const before = Number(BigInt.asUintN(32, xmax - BigInt(distance)));
        const after = Number(BigInt.asUintN(32, xmax + BigInt(distance) - 1n));
        assert.equal(sees(snapshot, before), distance !== 5);
        assert.equal(sees(snapshot, after), false);
      },
    ),
  );
});
