import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PlainTuple } from '../testing/changes.ts';
import { inKeyOrder } from './key-order.ts';

const order = { columns: [1], form: 'binary' } as const;

function inOrder(keys: readonly string[]): readonly number[] {
  const tuples = keys.map((key) => new PlainTuple(['before', key], 'binary'));
  return inKeyOrder([...keys.keys()], tuples, order);
}

void test('keys of one length are sorted by what follows what they have in common, and stay as they came where that is alike', () => {
  const common = fc.string({ unit: fc.constantFrom('a', '\u007f'), maxLength: 20 });
  const rest = fc.string({
    unit: fc.constantFrom('\u0000', 'a', '\u007f'),
    minLength: 3,
    maxLength: 3,
  });
  fc.assert(
    fc.property(common, fc.array(rest, { minLength: 3, maxLength: 100 }), (before, ends) => {
      const keys = ends.map((end) => before + end);
      const expected = [...keys.keys()].sort(
        (a, b) => Buffer.compare(Buffer.from(keys[a] ?? ''), Buffer.from(keys[b] ?? '')) || a - b,
      );
      assert.deepEqual(inOrder(keys), expected);
    }),
  );
});

void test('every row comes out once, however many there are and however alike their keys', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 300 }), (keys) => {
      const found = [...inOrder(keys)].sort((a, b) => a - b);
      assert.deepEqual(found, [...keys.keys()]);
    }),
  );
  const many = Array.from({ length: 20_001 }, (_, n) => `${n % 7}`);
  assert.equal(new Set(inOrder(many)).size, many.length);
});
