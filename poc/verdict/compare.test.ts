import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compare, digest, union } from './compare.ts';
import type { Rows } from './fingerprint.ts';

const at = { place: 'kivara', table: 'case_report' };

function rows(prints: Record<string, string>, columns = ['id', 'status']): Rows {
  return { columns, prints: new Map(Object.entries(prints)) };
}

void test('the same rows are equal in any order', () => {
  assert.equal(
    compare(at, rows({ 'a/1': 'x', 'b/2': 'y' }), rows({ 'b/2': 'y', 'a/1': 'x' })),
    null,
  );
});

void test('missing, surplus and unequal keys are told apart', () => {
  const difference = compare(
    at,
    rows({ 'a/1': 'x', 'a/2': 'y' }),
    rows({ 'a/2': 'z', 'a/3': 'w' }),
  );
  assert.deepEqual(difference, { ...at, missing: 1, surplus: 1, unequal: 1, columns: false });
});

void test('the same key under another origin is a difference', () => {
  const difference = compare(at, rows({ 'amboro/1': 'x' }), rows({ 'selume/1': 'x' }));
  assert.deepEqual([difference?.missing, difference?.surplus], [1, 1]);
});

void test('other columns are a difference even without a row', () => {
  assert.equal(compare(at, rows({}), rows({}, ['id']))?.columns, true);
});

void test('rows are equal exactly when their digests are', () => {
  const some = fc.dictionary(fc.stringMatching(/^[ab]\/[0-4]$/), fc.constantFrom('x', 'y'), {
    maxKeys: 4,
  });
  fc.assert(
    fc.property(some, some, (left, right) => {
      const equal = compare(at, rows(left), rows(right)) === null;
      assert.equal(digest(rows(left)) === digest(rows(right)), equal);
    }),
  );
});

void test('a union holds the rows of all its parts', () => {
  const whole = union([rows({ 'a/1': 'x' }), rows({ 'b/1': 'x', 'b/2': 'y' })]);
  assert.equal(whole.prints.size, 3);
});
